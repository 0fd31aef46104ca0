import Type from "typebox";

/**
 * The keys of carillon.yaml. Each key also has an environment variable: its path in capitals behind CARILLON_, with `_`
 * for every dot, index and inner capital (`apps[0].credentials.token.keyFile` is
 * CARILLON_APPS_0_CREDENTIALS_TOKEN_KEY_FILE).
 */

/** Marks a key that may come from the environment and never from the file. */
const environmentOnly = { environmentOnly: true } as const;

const tenCharacters = { pattern: "^[A-Za-z0-9]{10}$" } as const;

const tokenSchema = Type.Object(
  {
    keyFile: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Name the AuthKey_….p8 file from Apple's developer account.",
      }),
    ),
    key: Type.Optional(Type.String({ ...environmentOnly, description: "The text of the .p8 file." })),
    keyId: Type.String({
      ...tenCharacters,
      description: "It is the 10 letters and digits in the name of the AuthKey_….p8 file.",
    }),
    teamId: Type.String({
      ...tenCharacters,
      description: "It is the 10 letters and digits of the team in Apple's developer account.",
    }),
  },
  { additionalProperties: false },
);

const certificateSchema = Type.Object(
  {
    certFile: Type.String({ minLength: 1, description: "Name a PEM file with the client certificate." }),
    keyFile: Type.Optional(
      Type.String({ minLength: 1, description: "Name a PEM file with the certificate's private key." }),
    ),
    key: Type.Optional(Type.String({ ...environmentOnly, description: "The text of the key's PEM file." })),
    passphraseFile: Type.Optional(
      Type.String({ minLength: 1, description: "Name a file that holds the key's passphrase." }),
    ),
    passphrase: Type.Optional(Type.String({ ...environmentOnly, description: "The key's passphrase." })),
  },
  { additionalProperties: false },
);

const pkcs12Schema = Type.Object(
  {
    file: Type.String({ minLength: 1, description: "Name the .p12 file with the certificate and its key." }),
    passphraseFile: Type.Optional(
      Type.String({ minLength: 1, description: "Name a file that holds the passphrase of the .p12 file." }),
    ),
    passphrase: Type.Optional(
      Type.String({ ...environmentOnly, description: "The passphrase of the .p12 file." }),
    ),
  },
  { additionalProperties: false },
);

export const credentialsSchema = Type.Object(
  {
    token: Type.Optional(tokenSchema),
    certificate: Type.Optional(certificateSchema),
    pkcs12: Type.Optional(pkcs12Schema),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: "An app signs in to Apple with a token, a certificate or a pkcs12 file.",
  },
);

const appSchema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9._-]{0,62}$",
      description:
        "It stands in URLs: 1 to 63 lower-case letters, digits, dots, dashes and underscores, a letter or digit first.",
    }),
    topic: Type.String({
      pattern: "^[A-Za-z0-9._-]{1,255}$",
      description: "It is the app's bundle id, such as com.example.app.",
    }),
    environment: Type.Enum(["production", "sandbox"], {
      description:
        "Builds from Xcode belong to the sandbox, those from TestFlight and the App Store to production.",
    }),
    credentials: credentialsSchema,
    endpoint: Type.Optional(
      Type.String({ description: "It is another server than Apple's, such as https://localhost:8443." }),
    ),
    ca: Type.Optional(
      Type.String({ minLength: 1, description: "Name a PEM file with further trust anchors." }),
    ),
    binary: Type.Optional(
      Type.Object(
        {
          fingerprints: Type.Array(
            Type.String({
              pattern: "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$",
              description:
                "It is the SHA-256 of a client certificate: openssl x509 -noout -fingerprint -sha256 -in FILE tells it.",
            }),
            { minItems: 1, maxItems: 100 },
          ),
        },
        {
          additionalProperties: false,
          description: "Client certificates of senders that speak the binary protocol for this app.",
        },
      ),
    ),
    rateLimit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "The app sends at most so many notifications a second; without it as many as go.",
      }),
    ),
    resolveEnvironment: Type.Optional(
      Type.Boolean({
        description:
          "true tries the other environment once where one knows no such device token, and remembers which it is; false is the default.",
      }),
    ),
    massRemoval: Type.Optional(
      Type.Enum(["hold", "pause"], {
        description:
          "When many device tokens turn bad at once, verdicts on them are held back; pause also stops the app's sending, hold (the default) does not.",
      }),
    ),
    goneTokens: Type.Optional(
      Type.Enum(["send", "deny"], {
        description:
          "deny refuses notifications to device tokens that are gone, send (the default) lets Apple answer them.",
      }),
    ),
  },
  { additionalProperties: false },
);

const count = (what: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000, description: what }));

const limitsSchema = Type.Object(
  {
    maxQueued: count("So many notifications may wait, of all apps; 10,000,000 by default."),
    maxQueuedBytes: count("Bytes that wait, of all apps; 10 GiB by default."),
    maxQueuedPerApp: count("So many notifications of one app may wait; four fifths of maxQueued by default."),
    maxQueuedBytesPerApp: count("Bytes of one app that wait; four fifths of maxQueuedBytes by default."),
    maxResidentBytes: count("Bytes of the queue that are held in memory, about; 64 MiB by default."),
    maxInFlightPerRoute: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description:
          "So many notifications of one app and environment may be sent and not settled; 8,000 by default, 2,000 of them " +
          "not answered.",
      }),
    ),
  },
  { additionalProperties: false },
);

const port = (what: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: `${what}; 0 takes any free one.` }));

const pemFile = (what: string) => Type.String({ minLength: 1, description: `Name a PEM file with ${what}.` });

const binarySchema = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        minLength: 1,
        description: "It is the address to listen on; that of listen by default.",
      }),
    ),
    port: port("Where old senders write to, 2195 by default"),
    feedbackPort: port("Where they read feedback from, 2196 by default"),
    cert: pemFile("the server's certificate, for the name that senders connect to"),
    key: pemFile("the private key of cert"),
    clientCa: Type.Optional(pemFile("the authorities that signed the senders' certificates")),
    mode: Type.Optional(
      Type.Enum(["queued", "pass-through"], {
        description: "queued puts notifications on disk; pass-through waits for Apple's answer to each.",
      }),
    ),
    minTls: Type.Optional(
      Type.Enum(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"], {
        description: "The oldest TLS that is spoken; below TLSv1.2 it takes ciphers that are not safe.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const configSchema = Type.Object(
  {
    listen: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(
            Type.String({
              minLength: 1,
              description:
                "It is the address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 for all.",
            }),
          ),
          port: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 65_535, description: "0 takes any free port." }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    data: Type.Optional(
      Type.String({ minLength: 1, description: "Name the folder for the queue and admin.key." }),
    ),
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Optional(Type.Enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])),
        },
        { additionalProperties: false },
      ),
    ),
    limits: Type.Optional(limitsSchema),
    retention: Type.Optional(
      Type.Object(
        {
          payloadHours: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 87_600,
              description:
                "Payloads, device tokens and references are kept so long after the last outcome of their batch; 24 by default.",
            }),
          ),
          outcomeHours: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 87_600,
              description: "What became of notifications is kept so long; 168 by default.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    events: Type.Optional(
      Type.Object(
        {
          keepHours: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 87_600,
              description: "Events are kept so long; 168 by default.",
            }),
          ),
          keepMegabytes: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1_000_000,
              description: "The newest events are kept up to this size; 8192 by default.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    feedback: Type.Optional(
      Type.Object(
        {
          keepHours: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 87_600,
              description:
                "What is held against a device token is forgotten when no answer has said so for so long, and where it belongs when that was found out so long ago; 2,160 (90 days) by default.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    webhooks: Type.Optional(
      Type.Object(
        {
          allowHttp: Type.Optional(
            Type.Boolean({
              description: "true lets webhooks go out without TLS, which anybody on the way can read.",
            }),
          ),
          allowPorts: Type.Optional(
            Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
              maxItems: 1_000,
              description: "List the ports that webhooks may go to beside 443.",
            }),
          ),
          allowNetworks: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              maxItems: 1_000,
              description:
                "List the networks beside the open internet that webhooks may go to, such as 10.0.0.0/8.",
            }),
          ),
          ca: Type.Optional(
            Type.String({
              minLength: 1,
              description: "Name a PEM file with a further trust anchor for receivers of webhooks.",
            }),
          ),
          sealingKeyFile: Type.Optional(
            Type.String({
              minLength: 1,
              description:
                "Name a file with the key that seals secrets: 32 bytes in base64, as openssl rand -base64 32 prints them.",
            }),
          ),
          sealingKey: Type.Optional(
            Type.String({ ...environmentOnly, description: "The text of that file." }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    binary: Type.Optional(binarySchema),
    apps: Type.Array(appSchema, {
      minItems: 1,
      maxItems: 10_000,
      description: "List the apps that may send, each with name, topic, environment and credentials.",
    }),
  },
  { additionalProperties: false },
);

export type WrittenConfig = Type.Static<typeof configSchema>;
export type WrittenApp = WrittenConfig["apps"][number];
export type WrittenCredentials = WrittenApp["credentials"];
export type WrittenBinary = NonNullable<WrittenConfig["binary"]>;
