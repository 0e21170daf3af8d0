import { type Aggregation, REPORT_COLUMNS } from '@delivery/analytics/domain';
import { stringify } from 'csv-stringify/sync';

/** Rows as CSV: RFC 4180, UTF-8. Every file of a report begins with the header. */
export class ReportCsv {
  readonly header: Buffer;

  /** @param escapeFormulas - whether texts that spreadsheets would take for formulas begin with an apostrophe */
  constructor(
    aggregation: Aggregation,
    private readonly escapeFormulas: boolean,
  ) {
    this.header = this.lines([REPORT_COLUMNS[aggregation]]);
  }

  lines(rows: readonly (readonly string[])[]): Buffer {
    const text = stringify([...rows], {
      record_delimiter: 'windows',
      escape_formulas: this.escapeFormulas,
      // By itself it quotes the line ends that it writes, and not a CR or LF alone.
      quoted_match: /[\r\n]/,
    });
    return Buffer.from(text);
  }
}
