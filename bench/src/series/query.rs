//! Asking: the servers take turns at each question, and every first answer is held against what is right.

use std::time::Duration;

use super::{
    load::{Load, START_S, STEP_S},
    question::{Question, check},
    side::Side,
};
use crate::{
    Result,
    measure::{median, now, section},
};

/// A question is asked so long, or so many turns.
const BUDGET: Duration = Duration::from_secs(6);
const TURNS_LEAST: usize = 3;
const TURNS_MOST: usize = 25;

/// Prints a block per question.
pub async fn run(load: &Load, sides: &mut [Side]) -> Result<()> {
    section(&format!("series: queries over {} points, up to {TURNS_MOST} turns each", load.points()));
    println!("{:46}  {:20}{:>12}{:>12}{:>12}{:>10}", "", "", "median ms", "worst ms", "CPU ms", "of best");
    for question in questions(load) {
        compare(load, &question, sides).await?;
    }
    Ok(())
}

/// Refuses to go on when a server has lost a point of any field.
pub async fn verify(load: &Load, side: &mut Side) -> Result<()> {
    for &field in load.fields {
        let all = Question { field, ..whole(load) };
        let body = side.ask(&all).await?;
        check(side.system.name(), &side.read(&all, &body)?, &load.answer(&all))?;
    }
    Ok(())
}

fn whole(load: &Load) -> Question {
    Question {
        name: "avg(5m), all hosts, whole range",
        measurement: load.measurement,
        field: load.fields[0],
        host: None,
        range_s: START_S..START_S + load.steps as u64 * STEP_S,
        window_s: Some(300),
        by: None,
    }
}

fn questions(load: &Load) -> Vec<Question> {
    const HOUR: u64 = 3600;
    let whole = whole(load);
    let (start, end) = (whole.range_s.start, whole.range_s.end);
    let (last_hour, first_day) = (start.max(end - HOUR)..end, start..end.min(start + 24 * HOUR));
    let host = Some(load.hosts / 3);
    vec![
        Question { name: "points of one host, last hour", host, range_s: last_hour, window_s: None, ..whole.clone() },
        Question { name: "avg(5m), one host, whole range", host, ..whole.clone() },
        Question { name: "avg(5m), all hosts, one day", range_s: first_day, ..whole.clone() },
        whole.clone(),
        Question { name: "avg(5m) by region, whole range", by: Some("region"), ..whole.clone() },
        Question { name: "avg(1h) by host, whole range", by: Some("host"), window_s: Some(HOUR), ..whole.clone() },
        Question { name: "avg(1d), all hosts, whole range", window_s: Some(24 * HOUR), ..whole },
    ]
}

async fn compare(load: &Load, question: &Question, sides: &mut [Side]) -> Result<()> {
    let right = load.answer(question);
    for side in sides.iter_mut() {
        let body = side.ask(question).await?;
        check(side.system.name(), &side.read(question, &body)?, &right)?;
    }
    let (mut took, cpu_before) = (vec![Vec::new(); sides.len()], cpu(sides));
    let start = now();
    for turn in 0..TURNS_MOST {
        if turn >= TURNS_LEAST && start.elapsed() > BUDGET {
            break;
        }
        for (side, took) in sides.iter_mut().zip(&mut took) {
            let start = now();
            side.ask(question).await?;
            took.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let turns = took.first().map_or(1, Vec::len) as f64;
    let cpu = cpu(sides).into_iter().zip(cpu_before).map(|(after, before)| (after - before) / turns);
    let medians: Vec<f64> = took.iter().map(|took| median(took.iter().copied())).collect();
    let peers = sides.iter().zip(&medians).filter(|(side, _)| side.system.is_peer());
    let best = peers.map(|(_, median)| *median).min_by(f64::total_cmp);
    for (n, ((side, cpu), median)) in sides.iter().zip(cpu).zip(&medians).enumerate() {
        let title = if n == 0 { question.name } else { "" };
        let worst = took[n].iter().copied().fold(0.0, f64::max);
        let ratio = best.map_or("-".to_owned(), |best| format!("{:.2}", median / best));
        println!("{title:46}  {:20}{median:>12.2}{worst:>12.2}{cpu:>12.1}{ratio:>10}", side.system.name());
    }
    Ok(())
}

/// Milliseconds each server has spent on processors.
fn cpu(sides: &[Side]) -> Vec<f64> {
    sides.iter().map(|side| side.server.cpu().as_secs_f64() * 1e3).collect()
}
