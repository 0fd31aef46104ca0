import { appleOid, organizationalUnitOid, userIdOid } from "./apple-identifiers.ts";
import { derTag, readDer, readObjectIdentifier, readTime } from "./der-reader.ts";

/** What a client certificate says about pushing. */
export interface PushCertificate {
  /** The subject's UID: the main topic. Undefined where the certificate is not one for pushing. */
  readonly mainTopic: string | undefined;
  /** The main topic and the topics that the extensions list, each once. */
  readonly topics: readonly string[];
  /** Environments that it names. A certificate that names none is not bound to one. */
  readonly environments: readonly ("sandbox" | "production")[];
  /** The subject's OU: 10 characters in Apple's certificates. */
  readonly teamId?: string | undefined;
  /** From when to when it is valid, epoch milliseconds; undefined where the certificate's times cannot be read. */
  readonly validFromMs?: number | undefined;
  readonly validUntilMs?: number | undefined;
}

/**
 * Reads a certificate's DER bytes, as TLS gives them. Undefined where they are no certificate; never throws.
 *
 * @param topicExtensions the extensions that list topics
 */
export function readPushCertificate(
  der: Buffer,
  topicExtensions: readonly string[] = [appleOid.topics, appleOid.voipTopics],
): PushCertificate | undefined {
  const certificate = readDer(der);
  if (certificate?.length !== 1 || certificate[0]?.tag !== derTag.sequence) return undefined;
  const toBeSigned = readDer(certificate[0].content)?.[0];
  const fields = toBeSigned && readDer(toBeSigned.content);
  if (fields === undefined) return undefined;
  // Version [0] is left out of version 1 certificates; then everything stands one place earlier.
  const [validity, subject] = fields.slice(fields[0]?.tag === 0xa0 ? 4 : 3);
  if (validity === undefined || subject?.tag !== derTag.sequence) return undefined;
  const mainTopic = readAttribute(subject.content, userIdOid);
  const extensions = readExtensions(fields.find((field) => field.tag === 0xa3)?.content);
  const listed = topicExtensions.flatMap((id) => readTopics(extensions.get(id)));
  const [from, until] = readDer(validity.content) ?? [];
  return {
    mainTopic,
    topics: [...new Set(mainTopic === undefined ? listed : [mainTopic, ...listed])],
    environments: (["sandbox", "production"] as const).filter((name) => extensions.has(appleOid[name])),
    teamId: readAttribute(subject.content, organizationalUnitOid),
    validFromMs: from && readTime(from),
    validUntilMs: until && readTime(until),
  };
}

/** The text of the first attribute with this type in a distinguished name. */
function readAttribute(name: Buffer, type: string): string | undefined {
  for (const relativeName of readDer(name) ?? []) {
    for (const attribute of readDer(relativeName.content) ?? []) {
      const [id, value] = readDer(attribute.content) ?? [];
      if (id !== undefined && value !== undefined && readObjectIdentifier(id.content) === type) {
        return value.content.toString("utf8");
      }
    }
  }
  return undefined;
}

/** Extension values by object identifier: Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue }. */
function readExtensions(tagged: Buffer | undefined): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const list = tagged && readDer(tagged)?.[0];
  for (const extension of (list && readDer(list.content)) ?? []) {
    const parts = readDer(extension.content) ?? [];
    const id = parts[0] && readObjectIdentifier(parts[0].content);
    const value = parts.at(-1);
    if (id !== undefined && value?.tag === derTag.octetString) found.set(id, value.content);
  }
  return found;
}

/** The strings directly inside the sequence; what stands between them names each topic's kind. */
function readTopics(value: Buffer | undefined): readonly string[] {
  const list = value && readDer(value)?.[0];
  const items = (list && readDer(list.content)) ?? [];
  return items.filter((item) => item.tag === derTag.utf8String).map((item) => item.content.toString("utf8"));
}
