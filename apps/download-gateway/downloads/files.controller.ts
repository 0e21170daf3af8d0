import { parseShardFile } from '@delivery/analytics/domain';
import { DownloadReadModel, type ReportShard } from '@delivery/analytics/store';
import { ApiErrors, ApiException, forbidden, notFound, Public, statusOf } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { serveFile } from '@delivery/platform/service';
import { Controller, Get, Logger, Param, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LinkQuery } from '../links/file-links';
import { ReportLinks } from '../links/report-links';
import { AccessLog } from './access-log';

/** What the links of a report store of files lead to: the link itself is the authorization. */
@ApiExcludeController()
@Public()
@Controller('download/files')
export class FilesController {
  private readonly logger = new Logger('downloads');
  private readonly downloads = new DownloadReadModel();

  constructor(
    private readonly database: Database,
    private readonly links: ReportLinks,
    private readonly log: AccessLog,
  ) {}

  @Get(':organizationId/:analyticsId/:file')
  @ApiErrors(403, 404, 410)
  async serve(
    @Param() linked: { organizationId: string; analyticsId: string; file: string },
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
    const entry = (status: number, bytes: number) =>
      ({ organizationId, kind: 'file', keyId, analyticsId, file, status, bytes, ...about }) as const;
    try {
      if (check === 'expired') throw forbidden('This link has expired: ask for a new one.');
      const { sha256, bytes } = await this.published(linked);
      const served = await serveFile(request, reply, {
        root: files.root,
        path: this.links.objectKey(linked),
        bytes,
        etag: `"${sha256}"`,
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="${file}"`,
          'cache-control': 'private, no-store',
          'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
        },
      });
      if (served === undefined) {
        this.logger.error({ organizationId, analyticsId, file }, 'a published file is not in the report store');
        throw notFound('This file is not there any more.');
      }
      const { status, sent } = served;
      this.log.noteWhen(
        sent.then((sentBytes) => entry(status, sentBytes)),
        (err) => this.logger.error({ err }, 'a download could not be written down'),
      );
    } catch (error) {
      await this.log.note(entry(statusOf(error), 0));
      throw error;
    }
  }

  /** @throws 404, 410 */
  private async published(linked: { organizationId: string; analyticsId: string; file: string }): Promise<ReportShard> {
    const { prefix = '', shard = 0 } = parseShardFile(linked.file) ?? {};
    const report = await this.downloads.shards(this.database, { ...linked, prefix });
    const found = report?.shards[shard];
    if (report?.status === 'removed') throw new ApiException(410, 'This report was removed since the link was made.');
    if (found === undefined) throw notFound('There is no such file.');
    return found;
  }
}
