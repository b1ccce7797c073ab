// Evaluates lines of {"expression", "input"} with the language's own implementation, a line each.
// Usage: node differential.js <folder with node_modules/jsonata>
const path = require('path');
const readline = require('readline');
const jsonata = require(path.join(process.argv[2], 'node_modules', 'jsonata'));

const isFunction = (value) =>
    typeof value === 'function' || (value && (value._jsonata_lambda || value._jsonata_function));

// A function anywhere makes a value that has no JSON form.
const holdsFunction = (value) =>
    isFunction(value) ||
    (value && typeof value === 'object' && Object.values(value).some(holdsFunction));

const evaluate = async ({ expression, input }) => {
    try {
        const value = await jsonata(expression).evaluate(input);
        if (value === undefined) return { nothing: true };
        if (holdsFunction(value)) return { function: true };
        return { value: JSON.stringify(value) };
    } catch (error) {
        if (!error.code) return { failed: String(error.message) };
        return { code: error.code, message: error.message, position: error.position };
    }
};

(async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        process.stdout.write(JSON.stringify(await evaluate(JSON.parse(line))) + '\n');
    }
})();
