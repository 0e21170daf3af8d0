export interface Bar {
  name: string;
  value: number;
  /** This platform's, in colour. */
  own: boolean;
}

export interface Chart {
  /** What the lengths are, for those who do not see them. */
  title: string;
  bars: readonly Bar[];
  /** Follows each value. */
  unit: string;
  /** An aim that no bar should pass, drawn as a line. */
  limit?: number;
}

const size = { height: 26, gap: 10, left: 330, width: 420 };

/** Horizontal bars as SVG, readable on light and dark pages. */
export function drawn({ bars, unit, limit }: Chart): string {
  const most = Math.max(...bars.map(({ value }) => value), limit ?? 0);
  const long = (value: number) => Math.round((value / most) * size.width);
  const height = size.gap + bars.length * (size.height + size.gap);
  const lines = bars.map(({ name, value, own }, n) => {
    const y = size.gap + n * (size.height + size.gap);
    const middle = y + size.height / 2 + 5;
    return [
      `  <text x="${size.left - 10}" y="${middle}" text-anchor="end">${escape(name)}</text>`,
      `  <rect x="${size.left}" y="${y}" width="${long(value)}" height="${size.height}" rx="3" fill="${own ? '#2563eb' : '#94a3b8'}"/>`,
      `  <text x="${size.left + long(value) + 8}" y="${middle}">${withCommas(value)}${unit}</text>`,
    ].join('\n');
  });
  if (limit !== undefined) {
    const x = size.left + long(limit);
    lines.push(`  <path d="M${x} 0V${height}" stroke="#dc2626" stroke-width="2" stroke-dasharray="4 3"/>`);
  }
  const width = size.left + size.width + 100;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="14" fill="#64748b">
${lines.join('\n')}
</svg>
`;
}

export function withCommas(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 1 });
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
