/**
 * How long a receiver asks to be left alone, from the header Retry-After (RFC 9110, section 10.2.3): seconds or a date.
 * Undefined where it says nothing that can be understood.
 */
export function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text.trim())) return Number(text) * 1_000;
  const atMs = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
