import type { Progress } from '../download';
import type { ProcessRef } from '../processes';
import type { LocalSecrets } from '../secrets';
import type { PartName } from '../state';
import type { Tool } from '../tools';

export interface StartContext {
  /** What `prepare` answered. */
  prepared: string;
  /** Folder of this part's data; it exists. */
  data: string;
  log: string;
  port: number;
  secrets: LocalSecrets;
  progress: Progress;
  /** State folder of the whole stack. */
  stack: string;
}

/** One server of the stack: how it is started, and a question that only a working one answers. */
export interface Part {
  name: PartName;
  /** Port it is given when nobody else has it. */
  port: number;
  image: string;
  /** Whether its contents outlive its process. */
  contents: 'kept' | 'in memory';
  stopSignal: NodeJS.Signals;
  /** What the machine needs to run it natively, given what is downloaded already. */
  tools(): Tool[];
  /** Downloads what is missing and answers where it is. */
  prepare(progress: Progress): Promise<string>;
  start(context: StartContext): Promise<ProcessRef>;
  /** @throws when it does not answer properly. */
  probe(port: number, secrets: LocalSecrets): Promise<void>;
}
