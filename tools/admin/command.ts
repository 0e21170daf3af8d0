import type { ParseArgsOptionsConfig } from 'node:util';

export interface Invocation {
  readonly env: NodeJS.ProcessEnv;
  /** One for each name in `arguments`. */
  readonly given: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/** What a command answers: `json` for programs (`--json`), `text` for people. */
export interface Answer {
  readonly json: unknown;
  readonly text: string;
}

export interface Command {
  /** `key create` */
  readonly words: string;
  readonly arguments: readonly string[];
  readonly summary: string;
  /** Flags beside `--help` and `--json`, with what they mean. */
  readonly options: ParseArgsOptionsConfig;
  readonly optionHelp: readonly string[];
  run(invocation: Invocation): Promise<Answer>;
}

export function textOf(name: string | boolean | undefined): { name?: string } {
  return typeof name === 'string' ? { name } : {};
}

/** Columns as wide as their longest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  return all
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
