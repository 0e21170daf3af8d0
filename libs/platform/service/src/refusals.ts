import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/**
 * What the router refuses never reaches Nest's error filters nor any hook, and Fastify's own words repeat the URL.
 * @returns the status of the answer
 */
export function refuseUrl(error: FastifyError, request: FastifyRequest, reply: FastifyReply): number {
  const [status, message] =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? [414, 'A part of the path is too long.']
      : [400, 'The path of the URL is not validly encoded.'];
  void reply
    .status(status)
    .headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
    .send(errorBody(status, message));
  return status;
}

/**
 * What Node's parser refuses is no request yet: it is answered on the socket.
 * @returns the status of the answer, if there was anybody to answer
 */
export function refuseConnection(error: ConnectionError, socket: Socket): number | undefined {
  if (error.code === 'ECONNRESET' || socket.destroyed) return undefined;
  const [status, message] = sentenceFor(error.code);
  const body = JSON.stringify(errorBody(status, message));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
  return status;
}

function sentenceFor(code: string): readonly [number, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request did not arrive in time.'];
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'The URL and the headers are too long: 16 KiB are read of them.'];
  return [400, 'This is not a valid HTTP request.'];
}

/** The error body of the contracts, for the few answers that no error filter writes. */
function errorBody(status: number, message: string): object {
  return { code: status, name: (STATUS_CODES[status] ?? 'Error').replace(/[^A-Za-z]/g, ''), message, errors: {} };
}
