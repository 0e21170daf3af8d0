import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { challengeOf } from './challenge';
import { ApiException, errorBody, type FieldError } from './errors';

/** What a client is answered. */
interface Answer {
  readonly status: number;
  readonly message: string;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number | undefined;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** How long a client waits before trying again what failed for a passing reason. */
const RETRY_AFTER_SECONDS = 5;

/** Fastify refuses some requests itself, in words that suit a developer of servers; these suit the caller. */
const FASTIFY_SENTENCES: ReadonlyMap<string, string> = new Map([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'Send the body as JSON, with the header Content-Type: application/json.'],
  [
    'FST_ERR_CTP_INVALID_JSON_BODY',
    'The body is not valid JSON in UTF-8, or has a key named __proto__ or constructor.',
  ],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'The body is not as long as its Content-Length says.'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'The body is larger than this service accepts: send it in smaller parts.'],
]);

/** Turns whatever a request ended with into the error body of contracts.md §1.2. No stack trace reaches a client. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ApiErrorFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw exception;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const answer = answerTo(exception, request);
    this.report(exception, answer, request);
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer is out: cutting the connection is the only way left to say that it is not whole.
      reply.raw.destroy();
      return;
    }
    if (answer.status === 401) reply.header('www-authenticate', challengeOf(request));
    if (answer.retryAfterSeconds !== undefined) reply.header('retry-after', String(answer.retryAfterSeconds));
    void reply
      .status(answer.status)
      .type('application/json; charset=utf-8')
      .send({ ...errorBody(answer.status, answer.message, answer.errors), ...answer.more });
  }

  private report(exception: unknown, { status }: Answer, request: FastifyRequest): void {
    const fields = { err: exception, method: request.method, route: request.routeOptions.url };
    if (isRetryable(exception)) this.logger.warn(fields, 'a request failed for a passing reason');
    else if (status >= 500) this.logger.error(fields, 'a request met an error');
  }
}

/** The status that a request is answered with when it ends with this. */
export function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  return isRetryable(exception) ? 503 : 500;
}

function answerTo(exception: unknown, request: FastifyRequest): Answer {
  if (exception instanceof ApiException) {
    const { message, errors, retryAfterSeconds, more } = exception;
    return { status: exception.getStatus(), message, errors, retryAfterSeconds, more };
  }
  if (exception instanceof HttpException && exception.getStatus() < 500) {
    // Nest's own sentence repeats the URL, and with it an apiKey in the query.
    if (request.is404) return { status: 404, message: 'Page not found' };
    return { status: exception.getStatus(), message: fastifySentence(exception.cause) ?? exception.message };
  }
  if (isRetryable(exception)) {
    return {
      status: 503,
      message: 'The service cannot do this right now. Nothing is lost by trying again in a few seconds.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    };
  }
  return {
    status: 500,
    message: `Something went wrong on our side. If it happens again, report it with the request id ${request.id}.`,
  };
}

function fastifySentence(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return FASTIFY_SENTENCES.get(String(cause.code));
}

/** Every library's errors say so themselves (`retryable`): nothing is guessed from a name. */
function isRetryable(exception: unknown): boolean {
  return (
    typeof exception === 'object' && exception !== null && 'retryable' in exception && exception.retryable === true
  );
}
