import 'reflect-metadata';

import { ConfigError } from '@delivery/platform/config';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class Part {
  readonly word = 'injected';
}

/** Nest finds `part` by the type in the constructor: decorator metadata, which esbuild alone does not emit. */
@Module({ providers: [Part] })
class Whole {
  constructor(readonly part: Part) {}
}

async function main(): Promise<void> {
  const context = await NestFactory.createApplicationContext(Whole, { logger: false });
  const { word } = context.get(Whole).part;
  await context.close();
  const [, , ...args] = process.argv;
  console.log(
    JSON.stringify({
      word,
      alias: ConfigError.name,
      args,
      node: process.versions.node,
      cwd: process.cwd(),
      isMain: require.main === module,
    }),
  );
  if (args.includes('--fail')) throw new Error('asked to fail');
}

void main();
