import { ApiReference } from './api-reference';

const thing = { type: 'object', required: ['id'], properties: { id: { type: 'string', example: 'a' } } };
const content = {
  'application/json': { schema: { $ref: '#/components/schemas/Thing' }, examples: { bad: { value: { id: 5 } } } },
};
const reference = new ApiReference({
  components: { schemas: { Thing: thing } },
  paths: {
    '/things/{id}': {
      get: { responses: { '200': { content }, default: { content: { 'application/json': { schema: {} } } } } },
      delete: { responses: { '204': {} } },
      put: {
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        responses: {},
      },
    },
  },
});

const check = (method: string, status: number, text: string, contentType = 'application/json; charset=utf-8') =>
  reference.check(method, '/things/1?a=b', { status, contentType, text });

describe('ApiReference', () => {
  it('lets described answers, and those of unknown routes, through', () => {
    check('GET', 200, '{"id":"a"}');
    check('GET', 404, '{"anything":true}');
    check('DELETE', 204, '');
    reference.check('GET', '/others', { status: 404, contentType: null, text: '' });
  });

  it.each<[string, Parameters<typeof check>, string]>([
    ['a field not described', ['GET', 200, '{"id":"a","more":1}'], 'must NOT have additional properties'],
    ['a field that is missing', ['GET', 200, '{}'], "must have required property 'id'"],
    ['another media type', ['GET', 200, 'a', 'text/plain'], '200 as text/plain'],
    ['another status', ['DELETE', 200, ''], 'the status 200'],
    ['a body where there is none', ['DELETE', 204, 'x'], '204 with a body'],
  ])('tells of %s', (_, answer, fault) => {
    expect(() => check(...answer)).toThrow(fault);
  });

  it('looks at examples, and makes a request of those of the fields', () => {
    expect(reference.exampleFaults()).toEqual(['GET /things/{id} 200: /id must be string']);
    expect(reference.requestExamples('PUT', '/things/1')).toEqual([{ id: 'a' }]);
  });
});
