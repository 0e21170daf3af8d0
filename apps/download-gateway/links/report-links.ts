import { setImmediate } from 'node:timers/promises';
import { reportObjectKey, openReportStore, type ReportStoreConfig } from '@delivery/analytics/reports';
import { DestinationError, type LinkSigner } from '@delivery/destinations/driver';
import { openGcsLinkSigner, parseServiceAccountKey } from '@delivery/destinations/gcs';
import { openS3LinkSigner } from '@delivery/destinations/s3';
import type { NamedKey } from '@delivery/platform/secrets';
import { FileLinks, type LinkedFile } from './file-links';

/** How long nobody else has a turn. */
const TURN_MS = 5;

export interface ReportLinksOptions {
  readonly store: ReportStoreConfig;
  readonly publicUrl: string;
  readonly keys: readonly NamedKey[];
  readonly seconds: number;
}

/** Makes links to report files, wherever they are. */
export class ReportLinks {
  private constructor(
    private readonly options: ReportLinksOptions,
    private readonly signer: LinkSigner | undefined,
    /** Of the store whose files this service hands out itself. */
    readonly files: { readonly root: string; readonly links: FileLinks } | undefined,
  ) {}

  static async open(options: ReportLinksOptions): Promise<ReportLinks> {
    return openReportStore<ReportLinks>(options.store, {
      file: async ({ root }) => {
        const links = new FileLinks(options.publicUrl, options.keys);
        return new ReportLinks(options, undefined, { root, links });
      },
      s3: async (s3) => new ReportLinks(options, await openS3LinkSigner(s3), undefined),
      gcs: async ({ key, endpoint, ...place }) => {
        if (endpoint !== undefined) {
          const local = { ...place, projectId: 'local', credentials: 'anonymous-local', endpoint } as const;
          return new ReportLinks(options, await openGcsLinkSigner(local), undefined);
        }
        const credentials = parseServiceAccountKey(key ?? '');
        if (credentials.project_id === undefined) {
          throw new DestinationError('invalid_configuration', 'REPORT_STORE_GCS_KEY has no project_id.');
        }
        const google = { ...place, projectId: credentials.project_id, credentials };
        return new ReportLinks(options, await openGcsLinkSigner(google), undefined);
      },
    });
  }

  /** @param now - of this process: the link's end is judged by the clock of whoever serves it */
  async link(linked: LinkedFile, now = Date.now()): Promise<string> {
    const { seconds, store } = this.options;
    if (this.files !== undefined) return this.files.links.link(linked, Math.floor(now / 1000) + seconds);
    if (this.signer === undefined) throw new TypeError('there is no signer');
    return this.signer.sign(reportObjectKey(store, linked, linked.file), { seconds, fileName: linked.file });
  }

  /** In their order. A large report's take long to sign: others are answered meanwhile. */
  async linkAll(linked: readonly LinkedFile[], now = Date.now()): Promise<string[]> {
    const links: string[] = [];
    let turn = performance.now();
    for (const each of linked) {
      if (performance.now() - turn > TURN_MS) {
        await setImmediate();
        turn = performance.now();
      }
      links.push(await this.link(each, now));
    }
    return links;
  }

  /** What this service's own paths begin with, for clients: nothing, or where a proxy has put it. */
  get publicPath(): string {
    return new URL(this.options.publicUrl).pathname.replace(/\/$/, '');
  }

  /** The key of a file in the report store. */
  objectKey(linked: Omit<LinkedFile, 'keyId'>): string {
    return reportObjectKey(this.options.store, linked, linked.file);
  }

  async close(): Promise<void> {
    await this.signer?.close();
  }
}
