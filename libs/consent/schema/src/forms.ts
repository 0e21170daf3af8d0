/** The form of a text field, and how a refusal says it: "id must be ...". */
export interface Form {
  pattern: RegExp;
  words: string;
}

export function form(pattern: RegExp, words: string): Form {
  return { pattern, words };
}

export const forms = {
  organizationId: form(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'an organization id: 1 to 63 lower-case letters, digits, "_" or "-", not beginning with "_" or "-"',
  ),
  eventId: form(/^[A-Za-z0-9_.:-]{1,64}$/, '1 to 64 letters, digits, "_", ".", ":" or "-"'),
  /** No control characters: ids end up in file names, logs and spreadsheets. */
  // eslint-disable-next-line no-control-regex
  plainText: form(/^[^\u0000-\u001f\u007f]+$/, 'text that is not empty and has no control characters'),
  country: form(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code, such as FR'),
  regulation: form(
    /^[a-z][a-z0-9_-]{1,31}$/,
    '2 to 32 lower-case letters, digits, "_" or "-", beginning with a letter, such as gdpr',
  ),
  /** Whether the date exists is a rule of its own. */
  date: form(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/,
    'an ISO 8601 date, or date and time with zone, such as 2026-01-02T10:00:00.000Z',
  ),
} as const;

/** The words for a pattern of the JSON Schema. */
export function wordsFor(pattern: unknown, known: Readonly<Record<string, Form>>): string {
  const form = Object.values(known).find((each) => each.pattern.source === pattern);
  return form?.words ?? `text that matches ${String(pattern)}`;
}
