//! The README's table is what results/ says, to the letter.

use std::fs;
use std::path::Path;

use loadgen::report::readme::{between_markers, readme_table, reference_reports};

#[test]
fn the_readme_tells_the_reference_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let reports = reference_reports(&root.join("results")).expect("every reference run can be read");
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let told = between_markers(&readme).expect("the README has a place for the table of results");
    let measured = readme_table(&reports);
    assert!(
        told == measured,
        "put this between the markers (loadgen readme-table prints it):\n{measured}"
    );
}
