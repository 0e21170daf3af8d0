import { parseShardFile } from '@delivery/analytics/domain';
import type { ReportShard } from '@delivery/analytics/store';
import { ApiErrors, forbidden, notFound, Public, statusOf } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { type FileToServe, serveFile } from '@delivery/platform/service';
import { Controller, Get, Logger, Param, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LinkQuery } from '../links/file-links';
import { ReportLinks } from '../links/report-links';
import { AccessLog, type AccessRow } from './access-log';
import { findReport } from './find-report';
import { OpenFiles } from './open-files';

type Linked = Readonly<Record<'organizationId' | 'analyticsId' | 'file', string>>;

/** What the links of a report store of files lead to: the link itself is the authorization. */
@ApiExcludeController()
@Public()
@Controller('download/files')
export class FilesController {
  private readonly logger = new Logger('downloads');

  constructor(
    private readonly database: Database,
    private readonly links: ReportLinks,
    private readonly log: AccessLog,
    private readonly open: OpenFiles,
  ) {}

  @Get(':organizationId/:analyticsId/:file')
  @ApiErrors(403, 404, 410)
  async serve(
    @Param() linked: Linked,
    @Query() query: LinkQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { files } = this.links;
    if (files === undefined) throw notFound('Page not found');
    const check = files.links.check(linked, query, Date.now() / 1000);
    if (check === 'wrong') throw forbidden('This link is not valid: it was changed, or made for another file.');
    const { organizationId, analyticsId, file } = linked;
    const keyId = String(query.for);
    const about = { address: request.ip, userAgent: request.headers['user-agent'] };
    const entry = (status: number, bytes: number | undefined) =>
      ({ organizationId, kind: 'file', keyId, analyticsId, file, status, bytes, ...about }) as const;
    const signature = String(query.signature);
    try {
      if (check === 'expired') throw forbidden('This link has expired: ask for a new one.');
      const row = await this.download(linked, keyId, { request, reply, signature, root: files.root }, (status) =>
        this.log.note(entry(status, undefined)),
      );
      if (row === undefined) throw notFound('This file is not there any more.');
    } catch (error) {
      const status = statusOf(error);
      // One row for a link and an answer, however often it is sent.
      await this.log.noteOnce(entry(status, 0), `${signature} ${status}`, Number(query.expires) * 1000);
      throw error;
    }
  }

  /** @returns what is noted of it; undefined when there is no such file */
  private async download(
    linked: Linked,
    keyId: string,
    at: { request: FastifyRequest; reply: FastifyReply; signature: string; root: string },
    note: (status: number) => Promise<AccessRow>,
  ): Promise<AccessRow | undefined> {
    const shard = await this.published(linked, keyId);
    const giveBack = this.open.take(at.signature);
    let row: AccessRow | undefined;
    try {
      const begin = async (status: number) => void (row = await note(status));
      const served = await serveFile(at.request, at.reply, { ...this.described(linked, shard), root: at.root, begin });
      if (served === undefined || row === undefined) {
        this.logger.error({ ...linked }, 'a published file is not in the report store');
        giveBack();
        return undefined;
      }
      this.log.completeWhen(row, served.sent);
      void served.sent.then(({ failed }) => {
        giveBack();
        if (failed !== undefined) this.logger.error({ err: failed, ...linked }, 'a file could not be read to its end');
      });
      return row;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  private described(linked: Linked, { sha256, bytes }: ReportShard): Omit<FileToServe, 'root'> {
    return {
      path: this.links.objectKey(linked),
      bytes,
      etag: `"${sha256}"`,
      headers: {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="${linked.file}"`,
        'cache-control': 'private, no-store',
        'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      },
    };
  }

  /** What the link's key may still have. @throws 403, 404, 410 */
  private async published({ organizationId, analyticsId, file }: Linked, keyId: string): Promise<ReportShard> {
    const parsed = parseShardFile(file);
    if (parsed === undefined) throw notFound('There is no such file.');
    const shards = await findReport(this.database, { organizationId, keyId }, analyticsId, parsed.prefix, () =>
      forbidden('This link is not valid any more: the key it was made for was removed or disabled.'),
    );
    const found = shards[parsed.shard];
    if (found === undefined) throw notFound('There is no such file.');
    return found;
  }
}
