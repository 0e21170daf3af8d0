import { ReportCsv } from './report-csv';

const lines = (csv: ReportCsv, ...rows: string[][]): string => csv.lines(rows).toString('utf8');

describe('report CSV', () => {
  const csv = new ReportCsv('interaction', false);

  it('begins with the columns of its aggregation', () => {
    expect(csv.header.toString()).toBe('date,settingsId,eventType,platform,browser,country,count\r\n');
    expect(new ReportCsv('granular', true).header.toString()).toBe(
      'date,settingsId,templateId,dataProcessingService,action,actionType,consent,count\r\n',
    );
  });

  it('quotes what RFC 4180 wants quoted, and nothing else', () => {
    expect(lines(csv, ['2026-01-02', 's', '', 'naïve 🍪', '7'], ['a,b', 'say "hi"', 'x\ry', 'x\ny', ' z '])).toBe(
      '2026-01-02,s,,naïve 🍪,7\r\n"a,b","say ""hi""","x\ry","x\ny", z \r\n',
    );
  });

  it('leaves texts alone that a spreadsheet would take for a formula, unless it is told not to', () => {
    const rows = [['=1+1', '+x', '-x', '@x', 'x=1']];
    expect(lines(csv, ...rows)).toBe('=1+1,+x,-x,@x,x=1\r\n');
    expect(lines(new ReportCsv('interaction', true), ...rows)).toBe("'=1+1,'+x,'-x,'@x,x=1\r\n");
  });
});
