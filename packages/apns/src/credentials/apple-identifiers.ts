/** Object identifiers that stand in Apple's push certificates. Source: published certificates. */
export const appleOid = {
  /** Marks a certificate as valid in the sandbox; content NULL. */
  sandbox: "1.2.840.113635.100.6.3.1",
  /** Marks a certificate as valid in production; content NULL. */
  production: "1.2.840.113635.100.6.3.2",
  /** VoIP topics, in the form of `topics`. */
  voipTopics: "1.2.840.113635.100.6.3.4",
  /** Not confirmed; by its neighbours, topics of watch complications. */
  complicationTopics: "1.2.840.113635.100.6.3.5",
  /** The topics of a universal certificate: topic and SEQUENCE { kind }, alternating. */
  topics: "1.2.840.113635.100.6.3.6",
} as const;

/** The subject attribute that holds a certificate's main topic (RFC 4519 §2.39). */
export const userIdOid = "0.9.2342.19200300.100.1.1";

/** The subject attribute that holds the team (RFC 4519 §2.20). */
export const organizationalUnitOid = "2.5.4.11";
