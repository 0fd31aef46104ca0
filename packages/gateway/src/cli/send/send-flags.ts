/** The flags of `carillon send` as they were typed; absent ones are undefined. */
export interface SendFlags {
  readonly to?: readonly string[];
  readonly alert?: string;
  readonly title?: string;
  readonly badge?: string;
  readonly sound?: string;
  readonly payload?: string;
  readonly topic?: string;
  readonly pushType?: string;
  readonly priority?: string;
  readonly ttl?: string;
  readonly collapseId?: string;
  readonly key?: string;
  readonly keyId?: string;
  readonly teamId?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly p12?: string;
  readonly passphraseFile?: string;
  readonly sandbox?: boolean;
  readonly endpoint?: string;
  readonly binary?: string;
  readonly ca?: string;
  readonly timeout?: string;
  readonly attempts?: string;
  readonly json?: boolean;
}
