//! Pattern trees to programs for the matcher.

use super::{
    class::{Class, fold},
    tree::{Repeat, Tree},
};

pub(super) struct Program {
    pub(super) code: Vec<Step>,
    pub(super) classes: Vec<Class>,
    pub(super) loops: Vec<Loop>,
    pub(super) groups: usize,
    /// Groups, then a counter and a position for each loop.
    pub(super) registers: usize,
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
}

/// One instruction; `back` ones look to the left, for look-behind.
#[derive(Clone, Copy)]
pub(super) enum Step {
    One {
        what: One,
        back: bool,
    },
    /// As many of them as there are, giving back one by one.
    Run {
        what: One,
        least: u32,
        most: u32,
    },
    LineStart,
    LineEnd,
    WordEdge(bool),
    Back {
        group: usize,
        back: bool,
    },
    Save(usize),
    /// Tries the first, then the second.
    Split(usize, usize),
    Jump(usize),
    Look {
        negated: bool,
        after: usize,
    },
    LookEnd,
    LoopStart(usize),
    LoopTest(usize),
    LoopEnd(usize),
    Matched,
}

/// A single unit.
#[derive(Clone, Copy)]
pub(super) enum One {
    Unit(u16),
    Any,
    Class(usize),
}

/// A counted repetition: `body` starts with the reset of what one round may set.
pub(super) struct Loop {
    pub(super) least: u32,
    pub(super) most: Option<u32>,
    pub(super) greedy: bool,
    pub(super) groups: (usize, usize),
    pub(super) test: usize,
    pub(super) body: usize,
    pub(super) exit: usize,
    /// Its counter; the position at which the round began is the next register.
    pub(super) counter: usize,
}

pub(super) fn compile(tree: &Tree, groups: usize, ignore_case: bool, multiline: bool) -> Program {
    let program = Program {
        code: Vec::new(),
        classes: Vec::new(),
        loops: Vec::new(),
        groups,
        registers: groups * 2,
        ignore_case,
        multiline,
    };
    let mut compiler = Compiler { program };
    compiler.push(Step::Save(0));
    compiler.tree(tree, false);
    compiler.push(Step::Save(1));
    compiler.push(Step::Matched);
    compiler.program
}

struct Compiler {
    program: Program,
}

impl Compiler {
    fn push(&mut self, step: Step) -> usize {
        self.program.code.push(step);
        self.program.code.len() - 1
    }

    fn next(&self) -> usize {
        self.program.code.len()
    }

    fn tree(&mut self, tree: &Tree, back: bool) {
        match tree {
            Tree::Empty => {}
            Tree::Unit(_) | Tree::Any | Tree::Class(_) => {
                if let Some(what) = self.one(tree) {
                    self.push(Step::One { what, back });
                }
            }
            Tree::LineStart => {
                self.push(Step::LineStart);
            }
            Tree::LineEnd => {
                self.push(Step::LineEnd);
            }
            Tree::WordEdge(is) => {
                self.push(Step::WordEdge(*is));
            }
            Tree::Back(group) => {
                self.push(Step::Back { group: *group, back });
            }
            Tree::Group { number: None, inner } => self.tree(inner, back),
            Tree::Group { number: Some(number), inner } => {
                self.push(Step::Save(number * 2 + usize::from(back)));
                self.tree(inner, back);
                self.push(Step::Save(number * 2 + usize::from(!back)));
            }
            Tree::Look { ahead, negated, inner } => {
                let look = self.push(Step::LookEnd);
                self.tree(inner, !ahead);
                self.push(Step::LookEnd);
                self.program.code[look] = Step::Look { negated: *negated, after: self.next() };
            }
            Tree::All(parts) if back => parts.iter().rev().for_each(|part| self.tree(part, back)),
            Tree::All(parts) => parts.iter().for_each(|part| self.tree(part, back)),
            Tree::Either(choices) => self.either(choices, back),
            Tree::Repeat(repeat) => self.repeat(repeat, back),
        }
    }

    fn one(&mut self, tree: &Tree) -> Option<One> {
        Some(match tree {
            Tree::Unit(unit) if self.program.ignore_case => One::Unit(fold(*unit)),
            Tree::Unit(unit) => One::Unit(*unit),
            Tree::Any => One::Any,
            Tree::Class(class) => {
                self.program.classes.push(class.clone());
                One::Class(self.program.classes.len() - 1)
            }
            _ => return None,
        })
    }

    fn either(&mut self, choices: &[Tree], back: bool) {
        let mut jumps = Vec::new();
        for (at, choice) in choices.iter().enumerate() {
            if at + 1 == choices.len() {
                self.tree(choice, back);
                break;
            }
            let split = self.push(Step::Split(0, 0));
            self.tree(choice, back);
            jumps.push(self.push(Step::Jump(0)));
            self.program.code[split] = Step::Split(split + 1, self.next());
        }
        for jump in jumps {
            self.program.code[jump] = Step::Jump(self.next());
        }
    }

    fn repeat(&mut self, repeat: &Repeat, back: bool) {
        if repeat.greedy
            && !back
            && let Some(what) = self.one(&repeat.inner)
        {
            let most = repeat.most.unwrap_or(u32::MAX);
            self.push(Step::Run { what, least: repeat.least, most });
            return;
        }
        let number = self.program.loops.len();
        let counter = self.program.registers;
        self.program.registers += 2;
        self.program.loops.push(Loop {
            least: repeat.least,
            most: repeat.most,
            greedy: repeat.greedy,
            groups: repeat.groups,
            test: 0,
            body: 0,
            exit: 0,
            counter,
        });
        self.push(Step::LoopStart(number));
        let test = self.push(Step::LoopTest(number));
        self.tree(&repeat.inner, back);
        self.push(Step::LoopEnd(number));
        let exit = self.next();
        let made = &mut self.program.loops[number];
        (made.test, made.body, made.exit) = (test, test + 1, exit);
    }
}
