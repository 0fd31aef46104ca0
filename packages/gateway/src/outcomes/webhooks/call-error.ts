const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was reset before a status came",
  EPIPE: "the connection was closed before the request was read",
  ETIMEDOUT: "no connection came about",
  EHOSTUNREACH: "there is no way to the address",
  ENETUNREACH: "there is no way to the address",
  ENOTFOUND: "the DNS knows no such name",
  ENODATA: "the DNS knows no address of the name",
  ESERVFAIL: "the DNS has no answer for the name at the moment",
  EREFUSED: "the DNS refuses to answer for the name",
  ECANCELLED: "the look-up of the name was called off",
  ETIMEOUT: "the DNS does not answer",
  HPE_HEADER_OVERFLOW: "the headers of the answer are larger than 16 KiB",
  EPROTO: "no TLS connection came about: the other end does not speak it, or no version from 1.2 up",
};

const mostCharacters = 200;

/** Why a call came to no status, in words for the person who runs the receiver. */
export function explainCallError(error: unknown): string {
  const { code = "", message, errors } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] };
  // Several addresses were tried; the first has a name of its own as often as not.
  if (errors?.[0] !== undefined) return explainCallError(errors[0]);
  const known = words[code];
  if (known !== undefined) return known;
  if (code.startsWith("HPE_")) return "the answer is not HTTP";
  const text = String(message).replaceAll(/\p{C}+/gu, " ");
  const told = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
  return /CERT|TLS|SSL|SIGN|VERIFY|ISSUER|CRL/.test(code) ? `TLS: ${told}` : told;
}
