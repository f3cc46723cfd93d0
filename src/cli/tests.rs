//! Tests of the command line: it parses what the documentation says, and every command's help has examples that parse.

use super::*;
use crate::lab::ProviderName;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn up_takes_every_documented_flag() {
    let cli = parse(
        "iris-lab up my.yaml --provider existing --context rig --name demo --namespace ns --nodes 2 --kubernetes 1.24 \
         --longhorn=1.2.4 --longhorn-manifest longhorn.yaml --sha256 00 --no-canary \
         --replicas 3 --image i:1 --storage-class fast --storage 9Gi --set spec.iris.timeZone=UTC --set a=b=c --timeout 90s \
         --dry-run --yes --sim-speed instant --sim-faults f.yaml -o json --quiet --no-progress --color never",
    )
    .unwrap();
    assert_eq!(cli.output.output, OutputFormat::Json);
    let Command::Up(up) = cli.command else { panic!("not up") };
    assert_eq!(up.lab.lab, "my.yaml");
    assert_eq!(up.lab.provider, Some(ProviderName::Existing));
    assert_eq!(up.lab.set[1], ("a".into(), "b=c".into()));
    assert_eq!(up.lab.sim_speed, SimSpeed(None));
    assert_eq!(up.deadline.timeout, Duration::from_secs(90));
}

#[test]
fn defaults_are_the_documented_ones() {
    let Command::Up(up) = parse("iris-lab up").unwrap().command else { panic!("not up") };
    assert_eq!(up.lab.lab, "two-pod");
    assert_eq!(up.deadline.timeout, Duration::from_secs(15 * 60));
    assert_eq!(up.lab.provider, None);
    assert_eq!(up.lab.longhorn, None);
}

#[test]
fn the_version_of_longhorn_may_be_left_out() {
    let longhorn = |line: &str| {
        let Command::Up(up) = parse(line).unwrap().command else { panic!("not up") };
        (up.lab.longhorn, up.lab.lab)
    };
    assert_eq!(longhorn("iris-lab up --longhorn my.yaml"), (Some(None), "my.yaml".into()));
    assert_eq!(longhorn("iris-lab up --longhorn=1.2.4"), (Some(Some("1.2.4".into())), "two-pod".into()));
}

#[test]
fn a_negative_number_is_told_what_is_expected() {
    for (line, expected) in [
        ("iris-lab up --sim-speed -1", "a number above 0"),
        ("iris-lab up --timeout -5s", "examples: 90s"),
        ("iris-lab up --replicas -1", "1..=20"),
    ] {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

#[test]
fn a_negative_size_reaches_the_validation_of_the_lab() {
    let Command::Up(up) = parse("iris-lab up --storage -5Gi").unwrap().command else { panic!("not up") };
    assert_eq!(up.lab.storage.as_deref(), Some("-5Gi"));
}

#[test]
fn wrong_usage_says_what_was_expected() {
    let error = |line: &str| parse(line).unwrap_err().to_string();
    assert!(error("iris-lab up --sim-speed fast").contains("a number above 0"));
    assert!(error("iris-lab up --set timeZone").contains("expected PATH=VALUE"));
    assert!(error("iris-lab up --timeout 5").contains("examples: 90s"));
    assert!(error("iris-lab stauts").contains("'status'"));
    assert!(error("iris-lab up --replicas -1").contains("-1 is not in 1..=20"));
}

#[test]
fn every_command_has_examples_that_parse() {
    fn walk(command: &clap::Command) {
        let leaf = command.get_subcommands().next().is_none();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(!leaf || help.contains("Examples:\n  "), "`{}` has no examples", command.get_name());
        let examples = help.lines().map(str::trim).filter(|line| line.starts_with("iris-lab "));
        for example in examples {
            let end = example.find("  ").unwrap_or(example.len());
            let line = example[..end].split(['>', '<', '|']).next().unwrap();
            assert!(parse(line).is_ok(), "`{line}` does not parse");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 80), "too wide: {help}");
        command.get_subcommands().filter(|sub| sub.get_name() != "help").for_each(walk);
    }
    walk(&Cli::command());
}

#[test]
fn help_fits_a_narrow_terminal() {
    for sub in Cli::command().get_subcommands() {
        let text = sub.clone().term_width(60).render_help().to_string();
        let options = text.split("Examples:").next().unwrap();
        let longest = options.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 60, "`{}` is {longest} columns wide:\n{options}", sub.get_name());
    }
}
