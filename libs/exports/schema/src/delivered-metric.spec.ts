import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { deliveredMetricSchema } from './delivered-metric.schema';

const ajv = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false }));
const validate = ajv.compile(deliveredMetricSchema);

/** Of the contract (D-18), with what an hour may look like. */
const line = {
  organization_id: 'acme',
  date: '2026-11-23',
  hour: 7,
  domain: 'shop.example.org',
  platform: 'web',
  device_type: 'mobile',
  country: 'FR',
  regulation: 'gdpr',
  notice_id: 'shop-banner',
  pageviews: 1203,
  sessions: 411,
  notice_displays: 97,
  consents_positive: 40,
  consents_negative: 31,
  consents_partial: 2,
  ui_interactions: 88,
};

it('has the fields of the contract, in its order, all of them always', () => {
  expect(Object.keys(deliveredMetricSchema.properties)).toEqual(Object.keys(line));
  expect(deliveredMetricSchema.required).toEqual(Object.keys(line));
});

it.each<[string, object]>([
  ['a line', {}],
  ['dimensions that nobody said', { domain: null, platform: null, notice_id: null }],
  ['a field that a later version added', { added: 1 }],
])('accepts %s', (_, change) => {
  expect(validate({ ...line, ...change })).toBe(true);
});

it.each<[string, object]>([
  ['an hour of 24', { hour: 24 }],
  ['a time for a day', { date: '2026-11-23T00:00:00Z' }],
  ['an empty dimension', { country: '' }],
  ['a count that is no number', { pageviews: '7' }],
  ['a count below 0', { sessions: -1 }],
  ['no organization', { organization_id: undefined }],
])('refuses %s', (_, change) => {
  expect(validate(JSON.parse(JSON.stringify({ ...line, ...change })))).toBe(false);
});
