import { parseShardFile } from '@delivery/analytics/domain';
import { ApiException, principalOf, refusedOf } from '@delivery/platform/auth';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ReportLinks } from '../links/report-links';
import { Refusals } from './refusals';

const VERSION_1 = /^\/(?:api\/)?download\/analytics\//;
/** Paths that there are, for GET and HEAD. */
const OURS = /^\/(?:api\/)?download\/(?:(?:v2\/)?analytics\/[^/]+\/[^/]+|files\/[^/]+\/[^/]+\/[^/?]+)(?:$|\?)/;
/** RFC 9745: since when it is deprecated. */
const DEPRECATED_SINCE = '@1640995200';

/** What holds for answers of every status, those of guards and of paths that are none included. */
@Injectable()
export class AnswerHooks implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly links: ReportLinks,
    private readonly refusals: Refusals,
  ) {}

  onModuleInit(): void {
    const instance: FastifyInstance = this.host.httpAdapter.getInstance();
    instance.addHook('onRequest', (request, reply, done) => {
      // A link is a secret, and whether there is a report depends on the key.
      reply.header('cache-control', 'no-store').header('vary', 'x-api-key');
      if (VERSION_1.test(request.routeOptions.url ?? '')) this.deprecate(request, reply);
      done(request.is404 && OURS.test(request.url) ? otherMethod(reply) : undefined);
    });
    instance.addHook('onResponse', (request, reply, done) => {
      this.noteRefusal(request, reply.statusCode);
      done();
    });
  }

  /** No end of version 1 is planned, so there is no Sunset (RFC 8594). */
  private deprecate(request: FastifyRequest, reply: FastifyReply): void {
    const { analyticsId, file } = asked(request);
    const prefix = parseShardFile(file)?.prefix ?? file;
    const path = [analyticsId, prefix].map(encodeURIComponent).join('/');
    const successor = `${this.links.publicPath}/download/v2/analytics/${path}`;
    reply.header('deprecation', DEPRECATED_SINCE).header('link', `<${successor}>; rel="successor-version"`);
  }

  /** Whatever else is answered is noted by who answers it. */
  private noteRefusal(request: FastifyRequest, status: number): void {
    const who = refusedOf(request) ?? (status === 429 ? principalOf(request) : undefined);
    if (who === undefined) return;
    const about = { address: request.ip, userAgent: request.headers['user-agent'] };
    this.refusals.note(who, { ...who, ...asked(request), kind: 'links', status, bytes: undefined, ...about });
  }
}

function otherMethod(reply: FastifyReply): ApiException {
  reply.header('allow', 'GET, HEAD');
  return new ApiException(405, 'Downloads are asked for with GET, or HEAD.');
}

function asked({ params }: FastifyRequest): { analyticsId: string; file: string } {
  const { analyticsId, filePrefix, filename } = Object(params) as Record<string, unknown>;
  return { analyticsId: String(analyticsId ?? ''), file: String(filePrefix ?? filename ?? '') };
}
