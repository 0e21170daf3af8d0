export interface LinkOptions {
  /** How long it is good for. */
  readonly seconds: number;
  /** What a browser saves it as. Letters, digits, `.`, `-` and `_`. */
  readonly fileName: string;
}

/** Makes links that let anybody who has them read one object, for a while. Asks nobody: whether it exists is not known. */
export interface LinkSigner {
  /** @throws DestinationError `invalid_key`, and what getting credentials throws */
  sign(key: string, options: LinkOptions): Promise<string>;
  close(): Promise<void>;
}
