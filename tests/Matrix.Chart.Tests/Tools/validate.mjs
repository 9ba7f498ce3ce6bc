// Checks manifests against the schemas of Kubernetes and of the operators whose objects the chart makes, in two ways: by their JSON schemas (values,
// required fields), and as TypeScript object literals (fields that do not exist, which the schemas let pass).
//   validate.mjs FILE…  prints what is wrong, a line each
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as yaml from 'js-yaml';

const here = dirname(fileURLToPath(import.meta.url));
const packages = {
    'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
    'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
    'cert-manager.io': '@kubernetes-models/cert-manager',
};
const mistakes = [];
const types = [];
for (const file of process.argv.slice(2)) {
    for (const object of yaml.loadAll(readFileSync(file, 'utf8'))) {
        if (object == null) continue;
        const name = `${file}: ${object.kind} ${object.metadata?.name}`;
        const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
        const module = [packages[group] ?? 'kubernetes-models', group, version, object.kind].filter(Boolean).join('/');
        try {
            const Model = (await import(module))[object.kind];
            new Model(object).validate();
        } catch (e) {
            mistakes.push(`${name}: ${e.message}`);
            continue;
        }
        types.push({ name, text: `import type { I${object.kind} as T${types.length} } from ${JSON.stringify(module)};\n`
            + `export const o${types.length}: T${types.length} = ${JSON.stringify(object)};\n` });
    }
}
const check = join(here, `check-${process.pid}.ts`);
writeFileSync(check, types.map(type => type.text).join(''));
try {
    const options = '--noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext --target es2022 --pretty false'.split(' ');
    execFileSync(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, check], { encoding: 'utf8', stdio: 'pipe' });
} catch (e) {
    for (const line of String(e.stdout).split('\n').filter(line => line.includes('error'))) {
        const at = Number(/\((\d+),/.exec(line)?.[1] ?? 0);
        mistakes.push(`${types[Math.floor((at - 1) / 2)]?.name}: ${line.replace(/^.*?: error /, '')}`);
    }
    if (mistakes.length === 0) mistakes.push(String(e.message));
}
for (const mistake of mistakes) console.log(mistake);
console.log(`${types.length} objects checked`);
