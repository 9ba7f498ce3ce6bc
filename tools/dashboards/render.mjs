// Draws the panels of a Grafana dashboard as pictures for the docs: asks a Prometheus for what each panel asks, and draws it as Grafana would, nearly.
// node tools/dashboards/render.mjs PROMETHEUS_URL FROM TO STEP DASHBOARD.json FOLDER   (times in seconds since 1970; one SVG for each row of the dashboard)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [prometheus, from, to, step, dashboard, folder] = process.argv.slice(2);
const [column, unit, gap] = [56, 26, 8]; // pixels of the grid that dashboards are laid out on
const palette = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#ffa6b0', '#96d98d', '#c4162a', '#fade2a', '#37872d'];

const escape = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
const seriesName = (format, labels) => (format ?? '').replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '') || JSON.stringify(labels);

async function ask(expr) {
  const query = new URLSearchParams({ query: expr.replaceAll('$__rate_interval', `${step * 4}s`), start: from, end: to, step });
  const answer = await (await fetch(`${prometheus}/api/v1/query_range?${query}`)).json();
  if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
  return answer.data.result;
}

function value(n, of) {
  const short = n => Math.abs(n) >= 1e6 ? `${+(n / 1e6).toFixed(1)} M` : Math.abs(n) >= 1e4 ? `${+(n / 1e3).toFixed(1)} K` : `${+n.toPrecision(3)}`;
  const bytes = n => n >= 2 ** 30 ? `${+(n / 2 ** 30).toFixed(2)} GiB` : n >= 2 ** 20 ? `${+(n / 2 ** 20).toFixed(1)} MiB` : n >= 1024 ? `${+(n / 1024).toFixed(1)} KiB` : `${+n.toFixed(1)} B`;
  switch (of) {
    case 's': return n === 0 ? '0' : n < 0.001 ? `${+(n * 1e6).toPrecision(3)} µs` : n < 1 ? `${+(n * 1000).toPrecision(3)} ms` : `${+n.toPrecision(3)} s`;
    case 'bytes': return bytes(n);
    case 'Bps': return `${bytes(n)}/s`;
    case 'percentunit': return `${+(n * 100).toPrecision(3)} %`;
    case 'reqps': return `${short(n)} req/s`;
    case 'ops': return `${short(n)}/s`;
    default: return short(n);
  }
}

function niceTop(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 8, 10].map(n => n * power).find(n => n >= most);
}

async function draw(panel, left, top) {
  const { w, h } = panel.gridPos;
  const [width, height, of] = [w * column - gap, h * unit + 24 - gap, panel.fieldConfig?.defaults?.unit];
  const series = [];
  for (const target of panel.targets) {
    for (const { metric, values } of await ask(target.expr)) {
      const points = values.map(([at, n]) => [at, +n]).filter(([, n]) => Number.isFinite(n));
      if (points.length > 0) series.push({ name: seriesName(target.legendFormat, metric), points });
    }
  }
  // those that matter are named, and get colours of their own
  const peak = ({ points }) => Math.max(...points.map(([, n]) => n));
  if (series.length > 9) series.sort((a, b) => peak(b) - peak(a));
  const legendLines = Math.min(3, Math.ceil(series.length / 3));
  const [x0, x1, y0, y1] = [left + 62, left + width - 12, top + 34, top + height - 24 - legendLines * 15];
  const most = niceTop(Math.max(0, ...series.flatMap(({ points }) => points.map(([, n]) => n))));
  const [x, y] = [at => x0 + (at - from) / (to - from) * (x1 - x0), n => y1 - n / most * (y1 - y0)];
  const out = [`<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="3" fill="#181b1f" stroke="#2c3036"/>`,
    `<text x="${left + 12}" y="${top + 20}" fill="#d8d9da" font-weight="600" font-size="13">${escape(panel.title)}</text>`];
  for (let i = 0; i <= 4; i++) {
    const n = most * i / 4;
    out.push(`<line x1="${x0}" x2="${x1}" y1="${y(n).toFixed(1)}" y2="${y(n).toFixed(1)}" stroke="#2c3036"/>`,
      `<text x="${x0 - 6}" y="${(y(n) + 4).toFixed(1)}" text-anchor="end">${escape(value(n, of))}</text>`);
  }
  for (let i = 0; i <= 4; i++) {
    const seconds = Math.round((to - from) * i / 4);
    out.push(`<text x="${x(+from + seconds).toFixed(1)}" y="${y1 + 16}" text-anchor="middle">${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}</text>`);
  }
  if (series.length === 0) out.push(`<text x="${(x0 + x1) / 2}" y="${(y0 + y1) / 2}" text-anchor="middle">No data</text>`);
  series.forEach(({ name, points }, i) => {
    const color = palette[i % palette.length];
    out.push(`<polyline fill="none" stroke="${color}" stroke-width="1.3" points="${points.map(([at, n]) => `${x(at).toFixed(1)},${y(Math.min(n, most)).toFixed(1)}`).join(' ')}"/>`);
    if (i >= 9) return;
    const [lx, ly, room] = [left + 12 + i % 3 * ((width - 20) / 3), y1 + 33 + Math.floor(i / 3) * 15, Math.floor((width - 20) / 3 / 6.1) - 3];
    out.push(`<rect x="${lx.toFixed(1)}" y="${ly - 6}" width="10" height="3" fill="${color}"/>`,
      `<text x="${(lx + 14).toFixed(1)}" y="${ly}">${escape(name.length > room ? '…' + name.slice(1 - room) : name)}</text>`);
  });
  return out.join('\n');
}

const { panels } = JSON.parse(readFileSync(dashboard, 'utf8'));
const rows = [];
for (const panel of panels) {
  if (panel.type === 'row') rows.push({ title: panel.title, panels: [] });
  else rows.at(-1).panels.push(panel);
}
mkdirSync(folder, { recursive: true });
for (const [i, row] of rows.entries()) {
  const first = Math.min(...row.panels.map(({ gridPos }) => gridPos.y));
  const line = 8 * unit + 24;
  const place = ({ gridPos }) => [8 + gridPos.x * column, 8 + (gridPos.y - first) / 8 * line];
  const height = Math.max(...row.panels.map(panel => place(panel)[1])) + line + 4;
  const drawn = await Promise.all(row.panels.map(panel => draw(panel, ...place(panel))));
  const file = `${folder}/${i + 1}-${row.title.toLowerCase().replace(/[^a-z]+/g, '-')}.svg`;
  writeFileSync(file, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * column + 8} ${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="11" fill="#9fa7b3">
<rect width="100%" height="100%" fill="#111217"/>
${drawn.join('\n')}
</svg>
`);
  console.log(file);
}
