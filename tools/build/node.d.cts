/** Of node.cjs, for what is written in TypeScript. */
export function memoryArgs(app: string): string[];
export function nodeArgs(entry: string): string[];
