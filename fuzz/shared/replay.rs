//! Gives every committed input of a fuzz target to it once more: what was found before is not found again.

use std::path::Path;

use super::super::Target;

/// Runs all inputs of all targets, by name, so that a run says the same each time.
pub(crate) fn all(targets: &[Target]) {
    for (target, run) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        let inputs = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut inputs: Vec<_> = inputs.map(|input| input.expect("an input").path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{} has no inputs", folder.display());
        for input in inputs {
            println!("{}", input.display());
            run(&std::fs::read(&input).expect("readable"));
        }
    }
}
