import { parseShardFile, shardFile } from '@delivery/analytics/domain';
import {
  Accepts,
  ApiErrors,
  type DocumentedError,
  badRequest,
  CurrentPrincipal,
  notFound,
  type Principal,
  statusOf,
} from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProperty, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ReportLinks } from '../links/report-links';
import { AccessLog } from './access-log';
import { findReport, NO_REPORT } from './find-report';

export class LinksResponse {
  @ApiProperty({
    description: 'One link for each file of the report, in their order. Good for 15 minutes.',
    type: [String],
    example: [
      'https://downloads.example.org/download/files/acme/a1b2c3d4e5/interaction-2022-01-01-000000000000.csv?...',
    ],
  })
  downloadUrls: string[];
}

export class LinkResponse {
  @ApiProperty({ description: 'A link to the file, good for 15 minutes.', example: 'https://...' })
  downloadUrl: string;
}

const NO_FILE =
  'There is no file of this name: files are named like interaction-2022-01-01-000000000000.csv, and without number ' +
  'and .csv in version 2.';

/** As they are answered. */
function errorsOf(malformed: string): (DocumentedError | 410 | 503)[] {
  const available_at = '2026-01-02T08:00:00.000Z';
  return [
    { status: 400, message: malformed },
    { status: 401, message: 'The API key is not valid.' },
    { status: 403, message: 'This API key does not open this analytics id.' },
    {
      status: 404,
      message: `This report is available from ${available_at} on.`,
      more: { available_at },
      retryAfter: 'Seconds to wait, at most a day; with `available_at` only: without, there will be no such report.',
    },
    410,
    {
      status: 429,
      message: 'More than 100 requests in 15 seconds for this organization: wait 9 s and go on slower.',
    },
    503,
  ];
}

/** Who asks for what, for the access log. */
interface Asked {
  readonly principal: Principal;
  readonly analyticsId: string;
  readonly file: string;
  readonly request: FastifyRequest;
}

const ANALYTICS_ID = {
  name: 'analyticsId',
  description: 'The analytics id of the API key.',
  type: String,
  example: 'a1b2c3d4e5',
};

/**
 * contracts.md §2.1: version 2, and version 1, with and without `/api`. Paths are taken as they are: what no name can hold
 * is an answer for the access log, too.
 */
@ApiTags('Downloads')
@ApiSecurity('x-api-key')
@ApiSecurity('apiKey')
@Accepts('x-api-key')
@Controller()
export class DownloadsController {
  constructor(
    private readonly database: Database,
    private readonly links: ReportLinks,
    private readonly log: AccessLog,
  ) {}

  @Get(['download/v2/analytics/:analyticsId/:filePrefix', 'api/download/v2/analytics/:analyticsId/:filePrefix'])
  @ApiOperation({
    summary: 'Links to the files of a report',
    description:
      'A day: `interaction-2022-01-01`. A week, from Monday to Sunday, or a month: `granular-2022-04-04-2022-04-10`. ' +
      'Available on the next day from about 08:00 UTC on. The key may be sent as `apiKey` in the query, too.',
  })
  @ApiParam(ANALYTICS_ID)
  @ApiParam({ name: 'filePrefix', example: 'interaction-2022-01-01', type: String })
  @ApiOkResponse({ type: LinksResponse })
  @ApiErrors(...errorsOf(NO_REPORT))
  async list(
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest<{ Params: { analyticsId: string; filePrefix: string } }>,
  ): Promise<LinksResponse> {
    const { analyticsId, filePrefix: prefix } = request.params;
    const asked = { principal, analyticsId, file: prefix, request };
    const downloadUrls = await this.noted(asked, async () => {
      const shards = await findReport(this.database, principal, analyticsId, prefix);
      const { organizationId, keyId } = principal;
      const linked = shards.map((_, n) => ({ organizationId, analyticsId, keyId, file: shardFile(prefix, n) }));
      return this.links.linkAll(linked);
    });
    return { downloadUrls };
  }

  @Get(['download/analytics/:analyticsId/:filename', 'api/download/analytics/:analyticsId/:filename'])
  @ApiOperation({
    summary: 'A link to one file of a report',
    description: 'Version 1: use /download/v2, which has all files.',
    deprecated: true,
  })
  @ApiParam(ANALYTICS_ID)
  @ApiParam({ name: 'filename', example: 'interaction-2022-01-01-000000000000.csv', type: String })
  @ApiOkResponse({ type: LinkResponse })
  @ApiErrors(...errorsOf(NO_FILE))
  async one(
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest<{ Params: { analyticsId: string; filename: string } }>,
  ): Promise<LinkResponse> {
    const { analyticsId, filename } = request.params;
    const asked = { principal, analyticsId, file: filename, request };
    const downloadUrl = await this.noted(asked, async () => {
      const parsed = parseShardFile(filename);
      if (parsed === undefined) throw badRequest(NO_FILE);
      const { prefix, shard } = parsed;
      const shards = await findReport(this.database, principal, analyticsId, prefix);
      if (shard >= shards.length) throw notFound(`This report has ${shards.length} files, numbered from 0.`);
      return this.links.link({ ...principal, analyticsId, file: filename });
    });
    return { downloadUrl };
  }

  /** Every request of a known key is in the access log, however it ends, before it is answered. */
  private async noted<T>({ principal, analyticsId, file, request }: Asked, work: () => Promise<T>): Promise<T> {
    const entry = {
      organizationId: principal.organizationId,
      kind: 'links',
      keyId: principal.keyId,
      analyticsId,
      file,
      bytes: undefined,
      address: request.ip,
      userAgent: request.headers['user-agent'],
    } as const;
    try {
      const result = await work();
      await this.log.note({ ...entry, status: 200 });
      return result;
    } catch (error) {
      await this.log.note({ ...entry, status: statusOf(error) });
      throw error;
    }
  }
}
