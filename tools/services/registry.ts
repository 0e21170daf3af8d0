import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessRef, startTime, stopProcess } from '../stack/processes';
import type { ServiceProcess } from './service-process';

interface Entry {
  /** The command that watches over the services. */
  owner: ProcessRef;
  services: { name: string; port: number; ref: ProcessRef }[];
}

/**
 * Notes which service processes a command has started, so that the next one can end those whose owner is gone: killed, or
 * asked to leave them running.
 */
export class ServiceRegistry {
  private readonly folder: string;
  private readonly own: string;

  constructor(stackDir: string) {
    this.folder = join(stackDir, 'services');
    this.own = join(this.folder, `${process.pid}.json`);
  }

  note(running: readonly ServiceProcess[]): void {
    if (running.length === 0) return rmSync(this.own, { force: true });
    mkdirSync(this.folder, { recursive: true });
    const entry: Entry = {
      owner: { pid: process.pid, started: startTime(process.pid) ?? '' },
      services: running.map(({ options, ref }) => ({ name: options.name, port: options.port, ref })),
    };
    writeFileSync(this.own, JSON.stringify(entry, null, 2));
  }

  /** Ends services that nobody watches over. @returns their names */
  async endAbandoned(): Promise<string[]> {
    const ended: string[] = [];
    for (const { file, entry } of this.entries()) {
      if (isRunning(entry.owner)) continue;
      const left = entry.services.filter(({ ref }) => isRunning(ref));
      await Promise.all(left.map(({ ref }) => stopProcess(ref)));
      ended.push(...left.map(({ name }) => name));
      rmSync(file, { force: true });
    }
    return ended;
  }

  private entries(): { file: string; entry: Entry }[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .map((name) => join(this.folder, name))
      .flatMap((file) => {
        try {
          return [{ file, entry: JSON.parse(readFileSync(file, 'utf8')) as Entry }];
        } catch {
          return []; // being written right now
        }
      });
  }
}
