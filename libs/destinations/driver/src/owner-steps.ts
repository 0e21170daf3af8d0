/** One thing a bucket's owner does on his side, with his values filled in: shown as it is, ready to copy. */
export interface OwnerStep {
  title: string;
  /** One to three sentences: what this is for. */
  text: string;
  code: string;
  language: 'bash' | 'json';
}

/** A value as one argument of a POSIX shell, whatever it holds. */
export function shellArgument(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
