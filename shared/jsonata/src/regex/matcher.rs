//! The backtracking matcher: an explicit stack, a step of the budget for every move.

use super::{
    Spans,
    class::{ends_line, fold, is_word},
    compile::{One, Program, Step},
};
use crate::{budget::Budget, error::Outcome};

/// A register that was not set.
const UNSET: usize = usize::MAX;

/// What is taken back, or tried instead, when the matcher is stuck.
enum Undo {
    /// Go on here instead.
    Branch {
        at: usize,
        position: usize,
    },
    /// Begin another round of a loop here instead.
    Round {
        number: usize,
        position: usize,
    },
    /// The same step after one unit less.
    Run {
        at: usize,
        least: usize,
        position: usize,
    },
    Register {
        number: usize,
        value: usize,
    },
}

struct Matcher<'m> {
    program: &'m Program,
    text: &'m [u16],
    registers: Vec<usize>,
    stack: Vec<Undo>,
    budget: &'m mut Budget,
}

pub(super) fn find(
    program: &Program,
    text: &[u16],
    from: usize,
    budget: &mut Budget,
) -> Outcome<Option<Spans>> {
    budget.alloc(program.registers * 8)?;
    let registers = vec![UNSET; program.registers];
    let mut matcher = Matcher { program, text, registers, stack: Vec::new(), budget };
    for start in from..=text.len() {
        matcher.registers.fill(UNSET);
        matcher.stack.clear();
        matcher.budget.step(1 + program.registers / 16)?;
        if matcher.run(0, start)?.is_some() {
            return Ok(Some(matcher.spans()));
        }
    }
    Ok(None)
}

impl Matcher<'_> {
    fn spans(&self) -> Spans {
        let pairs = self.registers[..self.program.groups * 2].chunks_exact(2);
        pairs
            .map(|pair| (pair[0] != UNSET && pair[1] != UNSET).then_some((pair[0], pair[1])))
            .collect()
    }

    /// Runs from `at` until the match, or the end of a look-around, is reached; gives the place
    /// in the text, or nothing if all ways since the call are exhausted.
    fn run(&mut self, mut at: usize, mut position: usize) -> Outcome<Option<usize>> {
        let base = self.stack.len();
        loop {
            self.budget.step(1)?;
            let step = self.program.code[at];
            if matches!(step, Step::Matched | Step::LookEnd) {
                return Ok(Some(position));
            }
            let next = match self.step(step, at, position)? {
                Some(next) => Some(next),
                None => self.back_up(base)?,
            };
            let Some(next) = next else { return Ok(None) };
            (at, position) = next;
        }
    }

    /// Carries out one step; nothing if it does not fit.
    fn step(&mut self, step: Step, at: usize, position: usize) -> Outcome<Option<(usize, usize)>> {
        let text = self.text;
        let next = at + 1;
        Ok(match step {
            Step::One { what, back: false } => {
                let fits = text.get(position).is_some_and(|unit| self.fits(what, *unit));
                fits.then_some((next, position + 1))
            }
            Step::One { what, back: true } => {
                let fits = position > 0 && self.fits(what, text[position - 1]);
                fits.then(|| (next, position - 1))
            }
            Step::Run { what, least, most } => {
                return self.run_of(what, least, most, next, position);
            }
            Step::LineStart => self.line_starts(position).then_some((next, position)),
            Step::LineEnd => self.line_ends(position).then_some((next, position)),
            Step::WordEdge(wanted) => {
                (self.word_edge(position) == wanted).then_some((next, position))
            }
            Step::Back { group, back } => {
                self.repeat_of(group, position, back)?.map(|position| (next, position))
            }
            Step::Save(register) => {
                self.set(register, position)?;
                Some((next, position))
            }
            Step::Split(first, second) => {
                self.push(Undo::Branch { at: second, position })?;
                Some((first, position))
            }
            Step::Jump(to) => Some((to, position)),
            Step::Look { negated, after } => {
                self.look(next, position, negated)?.then_some((after, position))
            }
            Step::LoopStart(number) => {
                self.set(self.program.loops[number].counter, 0)?;
                Some((next, position))
            }
            Step::LoopTest(number) => self.loop_test(number, position)?,
            Step::LoopEnd(number) => self.loop_end(number, position)?,
            Step::Matched | Step::LookEnd => None,
        })
    }

    fn fits(&self, what: One, unit: u16) -> bool {
        match what {
            One::Unit(wanted) if self.program.ignore_case => fold(unit) == wanted,
            One::Unit(wanted) => unit == wanted,
            One::Any => !ends_line(unit),
            One::Class(class) => {
                self.program.classes[class].matches(unit, self.program.ignore_case)
            }
        }
    }

    fn run_of(
        &mut self,
        what: One,
        least: u32,
        most: u32,
        next: usize,
        position: usize,
    ) -> Outcome<Option<(usize, usize)>> {
        let rest = &self.text[position..];
        let length =
            rest.iter().take(most as usize).take_while(|unit| self.fits(what, **unit)).count();
        self.budget.step(length / 4)?;
        let least = position + least as usize;
        let end = position + length;
        if end < least {
            return Ok(None);
        }
        if end > least {
            self.push(Undo::Run { at: next, least, position: end })?;
        }
        Ok(Some((next, end)))
    }

    fn line_starts(&self, position: usize) -> bool {
        position == 0 || (self.program.multiline && ends_line(self.text[position - 1]))
    }

    fn line_ends(&self, position: usize) -> bool {
        let end = self.text.get(position);
        end.is_none_or(|unit| self.program.multiline && ends_line(*unit))
    }

    fn word_edge(&self, position: usize) -> bool {
        let before = position > 0 && is_word(self.text[position - 1]);
        let after = self.text.get(position).is_some_and(|unit| is_word(*unit));
        before != after
    }

    /// Where the text goes on after what a group matched; a group not set matches nothing.
    fn repeat_of(&mut self, group: usize, position: usize, back: bool) -> Outcome<Option<usize>> {
        let (start, end) = (self.registers[group * 2], self.registers[group * 2 + 1]);
        if start == UNSET || end == UNSET {
            return Ok(Some(position));
        }
        let length = end - start;
        self.budget.step(length / 4)?;
        let from = if back { position.checked_sub(length) } else { Some(position) };
        let Some(other) = from.and_then(|from| self.text.get(from..from + length)) else {
            return Ok(None);
        };
        let same = |(left, right): (&u16, &u16)| {
            left == right || (self.program.ignore_case && fold(*left) == fold(*right))
        };
        let fits = self.text[start..end].iter().zip(other).all(same);
        Ok(fits.then_some(if back { position - length } else { position + length }))
    }

    /// Whether a look-around holds; what it captured stays if it is not negated.
    fn look(&mut self, body: usize, position: usize, negated: bool) -> Outcome<bool> {
        let base = self.stack.len();
        let found = self.run(body, position)?.is_some();
        if found && !negated {
            // No way back into it, but its registers are restored when the matcher backs up.
            let mut kept = base;
            for at in base..self.stack.len() {
                if matches!(self.stack[at], Undo::Register { .. }) {
                    self.stack.swap(kept, at);
                    kept += 1;
                }
            }
            self.stack.truncate(kept);
            return Ok(true);
        }
        while self.stack.len() > base {
            if let Some(Undo::Register { number, value }) = self.stack.pop() {
                self.registers[number] = value;
            }
        }
        Ok(found != negated)
    }

    fn loop_test(&mut self, number: usize, position: usize) -> Outcome<Option<(usize, usize)>> {
        let program = self.program;
        let repeat = &program.loops[number];
        let count = self.registers[repeat.counter];
        if count < repeat.least as usize {
            return self.round(number, position).map(Some);
        }
        if repeat.most.is_some_and(|most| count >= most as usize) {
            return Ok(Some((repeat.exit, position)));
        }
        if repeat.greedy {
            self.push(Undo::Branch { at: repeat.exit, position })?;
            return self.round(number, position).map(Some);
        }
        self.push(Undo::Round { number, position })?;
        Ok(Some((repeat.exit, position)))
    }

    /// Begins a round: groups within the loop are forgotten.
    fn round(&mut self, number: usize, position: usize) -> Outcome<(usize, usize)> {
        let program = self.program;
        let repeat = &program.loops[number];
        self.set(repeat.counter + 1, position)?;
        self.budget.step((repeat.groups.1 - repeat.groups.0) / 4)?;
        for register in repeat.groups.0 * 2..repeat.groups.1 * 2 {
            if self.registers[register] != UNSET {
                self.set(register, UNSET)?;
            }
        }
        Ok((repeat.body, position))
    }

    fn loop_end(&mut self, number: usize, position: usize) -> Outcome<Option<(usize, usize)>> {
        let program = self.program;
        let repeat = &program.loops[number];
        let count = self.registers[repeat.counter];
        // A round beyond the least that matched nothing leads nowhere.
        if count >= repeat.least as usize && self.registers[repeat.counter + 1] == position {
            return Ok(None);
        }
        self.set(repeat.counter, count + 1)?;
        Ok(Some((repeat.test, position)))
    }

    fn set(&mut self, number: usize, value: usize) -> Outcome<()> {
        let old = std::mem::replace(&mut self.registers[number], value);
        self.push(Undo::Register { number, value: old })
    }

    fn push(&mut self, undo: Undo) -> Outcome<()> {
        if self.stack.len() == self.stack.capacity() {
            let more = self.stack.len().max(32);
            self.budget.alloc(more * 2 * std::mem::size_of::<Undo>())?;
            self.stack.reserve_exact(more);
        }
        self.stack.push(undo);
        Ok(())
    }

    /// Takes moves back until there is another way to go.
    fn back_up(&mut self, base: usize) -> Outcome<Option<(usize, usize)>> {
        while self.stack.len() > base {
            match self.stack.pop() {
                Some(Undo::Register { number, value }) => self.registers[number] = value,
                Some(Undo::Branch { at, position }) => return Ok(Some((at, position))),
                Some(Undo::Round { number, position }) => {
                    return self.round(number, position).map(Some);
                }
                Some(Undo::Run { at, least, position }) => {
                    let position = position - 1;
                    if position > least {
                        self.push(Undo::Run { at, least, position })?;
                    }
                    return Ok(Some((at, position)));
                }
                None => break,
            }
        }
        Ok(None)
    }
}
