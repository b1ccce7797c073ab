// Runs machines by npm's aws-local-stepfunctions, as steps.rs runs them here: read once, then one
// execution after the other, the best of some rounds. Prints { name: transitions per second }.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'from-here.js'));
const { StateMachine } = require('aws-local-stepfunctions');
const rates = {};
for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
  const machine = new StateMachine(one.definition);
  let best = 0;
  for (let round = 0; round < one.rounds; round++) {
    const begin = performance.now();
    let transitions = 0;
    while (performance.now() - begin < one.millis) {
      await machine.run(one.input).result;
      transitions += one.transitions;
    }
    best = Math.max(best, (transitions * 1000) / (performance.now() - begin));
  }
  rates[one.name] = best;
}
console.log(JSON.stringify(rates));
