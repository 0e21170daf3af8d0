import { parseArgs } from 'node:util';
import type { Answer, Command, Invocation } from './command';
import { commands } from './commands';
import { AdminError } from './errors';

const INTRO = `What the operator does: organizations, keys, analytics ids, and repairs.

`;
const OUTRO = `
  --json                     the answer as JSON on stdout
  --help                     after a command: its options

DATABASE_URL says which database (KAFKA_BROKERS too for run and ingest); not set, the local stack is used.
`;

/** What the longest command's name has. */
const MOST_WORDS = 3;

/** Help on everything, or on the commands that begin with these words. */
export function helpOn(words: readonly string[]): string {
  const wanted = commands.filter((command) => words.every((word, index) => command.words.split(' ')[index] === word));
  const [only] = wanted;
  if (wanted.length === 1 && only !== undefined) {
    const options = [...only.optionHelp, '--json', '--help'].map((line) => `  ${line}`).join('\n');
    return `${usageOf(only)}\n\n${only.summary[0]?.toUpperCase()}${only.summary.slice(1)}.\n\n${options}\n`;
  }
  const lines = (wanted.length > 0 ? wanted : commands).map((each) => `  ${usageOf(each)}\n      ${each.summary}\n`);
  return `${INTRO}${lines.join('')}${OUTRO}`;
}

/**
 * Runs one command line.
 *
 * @param args as after `npm run admin --`
 * @returns what to print on stdout
 * @throws AdminError and the errors of the libraries, each with a sentence for the operator
 */
export async function runCommand(args: readonly string[], env: () => NodeJS.ProcessEnv): Promise<string> {
  const words = args.filter((arg) => !arg.startsWith('-')).slice(0, MOST_WORDS);
  const command = commands.find((each) => `${words.join(' ')} `.startsWith(`${each.words} `));
  if (args.includes('--help') || args.length === 0)
    return helpOn(command === undefined ? knownWords(words) : command.words.split(' '));
  if (command === undefined)
    throw new AdminError('usage', `There is no command "${words.join(' ')}".\n\n${helpOn(knownWords(words))}`);
  const { given, flags } = parse(command, args);
  const answer: Answer = await command.run({ env: env(), given, flags });
  return flags['json'] === true ? `${JSON.stringify(answer.json, null, 2)}\n` : `${answer.text}\n`;
}

/** As many of the words as some command begins with. */
function knownWords(words: readonly string[]): readonly string[] {
  const beginning = `${words.join(' ')} `;
  if (words.length === 0 || commands.some((each) => `${each.words} `.startsWith(beginning))) return words;
  return knownWords(words.slice(0, -1));
}

function parse(command: Command, args: readonly string[]): Omit<Invocation, 'env'> {
  const options = { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { positionals, values } = parsed(command, args, options);
  const given = positionals.slice(command.words.split(' ').length);
  if (given.length === command.arguments.length) return { given, flags: flagsOf(values) };
  throw new AdminError('usage', `Usage: ${usageOf(command)}`);
}

function parsed(command: Command, args: readonly string[], options: Command['options']) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('usage', `${reason}\n\nUsage: ${usageOf(command)}`, { cause: error });
  }
}

function flagsOf(values: Readonly<Record<string, unknown>>): Invocation['flags'] {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string | boolean] =>
      ['string', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

function usageOf(command: Command): string {
  const named = command.arguments.map((name) => `<${name}>`);
  const options = command.optionHelp.map((line) => `[${line.split(/ {2,}/)[0]}]`);
  return ['npm run admin --', command.words, ...named, ...options].join(' ');
}
