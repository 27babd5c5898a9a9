//! What a run measured: printed line by line while it is taken, and kept, so that the report has the same tables.

use std::fmt::Write as _;

use crate::measure;

#[cfg(test)]
mod tests;

/// The tables of a run, and what stands out of them.
#[derive(Debug, Default)]
pub struct Sheet {
    blocks: Vec<Block>,
    goals: Vec<Goal>,
    ratios: Vec<Ratio>,
    title: String,
}

/// Something that was measured under one load of the machine.
#[derive(Debug)]
struct Block {
    title: String,
    load: String,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    Head(Vec<String>),
    Row(Vec<String>),
    Note(String),
}

/// A figure that was promised, and what became of it.
#[derive(Debug)]
struct Goal {
    what: String,
    wanted: Wanted,
    measured: f64,
}

/// Which side of a figure is the good one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// The more the better.
    AtLeast(f64),
    /// The less the better.
    AtMost(f64),
}

/// How much of a bare server's rate a request reached.
#[derive(Debug)]
struct Ratio {
    what: String,
    ratio: f64,
}

impl Sheet {
    /// Begins a block, and says how busy the machine is before its figures are taken.
    pub fn section(&mut self, title: &str) {
        let load = measure::load_average();
        println!("\n{title}  ({} cores, load average {load})", measure::cores());
        self.title = title.to_owned();
        self.blocks.push(Block { title: title.to_owned(), load, lines: Vec::new() });
    }

    /// Begins a table with these columns.
    pub fn head(&mut self, columns: &[&str]) {
        self.push(Line::Head(columns.iter().map(|column| (*column).to_owned()).collect()));
    }

    /// A line of the table.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.push(Line::Row(cells.into_iter().collect()));
    }

    /// A sentence.
    pub fn note(&mut self, text: impl Into<String>) {
        self.push(Line::Note(text.into()));
    }

    /// Keeps what a figure should be beside what it is.
    pub fn goal(&mut self, what: impl Into<String>, wanted: Wanted, measured: f64) {
        self.goals.push(Goal { what: what.into(), wanted, measured });
    }

    /// Keeps how much of the bare server's rate a request reached; the block's title says the rest.
    pub fn ratio(&mut self, what: &str, ratio: f64) {
        let what = format!("{}: {what}", self.title.split(", ").next().unwrap_or_default());
        self.ratios.push(Ratio { what, ratio });
    }

    fn push(&mut self, line: Line) {
        let Some(block) = self.blocks.last_mut() else { return };
        let head = block.lines.iter().rev().find_map(|line| match line {
            Line::Head(head) => Some(head),
            _ => None,
        });
        match &line {
            Line::Note(text) => println!("{text}"),
            Line::Head(cells) => println!("{}", aligned(cells, cells)),
            Line::Row(cells) => println!("{}", aligned(cells, head.unwrap_or(cells))),
        }
        block.lines.push(line);
    }

    /// All blocks as Markdown.
    pub fn markdown(&self) -> String {
        self.blocks.iter().map(Block::markdown).collect::<Vec<_>>().join("\n")
    }

    /// A table of the goals.
    pub fn goals(&self) -> String {
        let mut text = row(&["", "Goal", "Measured", ""].map(str::to_owned)) + &rule(4);
        for Goal { what, wanted, measured } in &self.goals {
            let (goal, met) = match *wanted {
                Wanted::AtLeast(least) => (format!("at least {}", number(least, 2)), *measured >= least),
                Wanted::AtMost(most) => (format!("at most {}", number(most, 2)), *measured <= most),
            };
            let verdict = if met { "met" } else { "**missed**" };
            text += &row(&[what.clone(), goal, number(*measured, 2), verdict.to_owned()]);
        }
        text
    }

    /// A table of the requests that reached the least of a bare server's rate.
    pub fn lowest(&self, count: usize) -> String {
        let mut ratios: Vec<&Ratio> = self.ratios.iter().collect();
        ratios.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
        let lines = ratios.iter().take(count).map(|Ratio { what, ratio }| row(&[what.clone(), number(*ratio, 2)]));
        row(&["", "of bare"].map(str::to_owned)) + &rule(2) + &lines.collect::<String>()
    }

    /// Adds what another run has.
    pub fn append(&mut self, other: &mut Sheet) {
        self.blocks.append(&mut other.blocks);
        self.goals.append(&mut other.goals);
        self.ratios.append(&mut other.ratios);
    }
}

impl Block {
    fn markdown(&self) -> String {
        let mut text = format!("**{}** (load average {})\n", self.title, self.load);
        let mut in_table = false;
        for line in &self.lines {
            match line {
                Line::Head(cells) => text += &format!("\n{}{}", row(cells), rule(cells.len())),
                Line::Row(cells) => text += &row(cells),
                Line::Note(note) => {
                    // Behind a table, or as a paragraph of its own.
                    let gap = if in_table || text.ends_with(")\n") { "\n" } else { "" };
                    writeln!(text, "{gap}- {note}").expect("a string takes all text");
                }
            }
            in_table = !matches!(line, Line::Note(_));
        }
        text
    }
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn rule(columns: usize) -> String {
    format!("|{}\n", "---|".repeat(columns))
}

/// Below their columns: the first to the left, the others to the right.
fn aligned(cells: &[String], head: &[String]) -> String {
    const FIRST: usize = 34;
    const OTHERS: usize = 11;
    cells.iter().enumerate().fold(String::new(), |mut line, (at, cell)| {
        let width = head.get(at).map_or(0, |column| column.chars().count() + 2).max(OTHERS);
        match at {
            0 => write!(line, "{cell:<FIRST$}"),
            _ => write!(line, "{cell:>width$}"),
        }
        .expect("a string takes all text");
        line
    })
}

/// A number with so many decimals, its thousands set apart.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let whole = text.find('.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(whole);
    let mut grouped = String::with_capacity(text.len() + whole / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digits.as_bytes()[at - 1].is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}
