/** One thing a bucket's owner does on his side, with his values filled in: shown as it is, ready to copy. */
export interface OwnerStep {
  title: string;
  /** One or two sentences: what this is for. */
  text: string;
  code: string;
  language: 'bash' | 'json';
}
