//! The ends of the help texts: examples for every command, exit codes for all.

/// End of the help of the program itself.
pub(super) const TOP: &str = "\
Examples:
  iris-lab doctor             Check what it needs of this machine
  iris-lab up                 Bring up the default lab: two IRIS pods
  iris-lab status             Show what runs, and where its portal is
  iris-lab explain            Say what is wrong, and what mends it
  iris-lab down               Remove the pods, keep their data
  iris-lab reset              Remove every trace of the lab

Exit codes:
  0    Done, or nothing to do
  1    A step failed
  2    Wrong usage, or an invalid lab
  3    A requirement is missing; nothing was changed
  4    Not ready in time, or not healthy
  5    Something is left behind
  130  Cancelled";

/// End of the help of `up`.
pub(super) const UP: &str = "\
Examples:
  iris-lab up                                     On what this machine has
  iris-lab up --dry-run                           Print the plan, change nothing
  iris-lab up --provider existing --context rig   On a cluster of yours
  iris-lab up my.yaml --replicas 3                From a file, but three pods
  iris-lab up --longhorn                          With volumes on several nodes
  iris-lab up simple                              With an image that is built
  iris-lab up --build=my-app                      The same from your folder
  iris-lab up --provider sim --sim-speed instant  A rehearsal without a wait";

/// End of the help of `plan`.
pub(super) const PLAN: &str = "\
Examples:
  iris-lab plan                        Every step of the default lab
  iris-lab plan --shell                The same as commands, to learn from
  iris-lab plan my-lab.yaml -o json    The same for a file, for a program";

/// End of the help of `doctor`.
pub(super) const DOCTOR: &str = "\
Exits with 3 if a requirement is missing. It changes nothing without --fix.

Examples:
  iris-lab doctor --provider microk8s --longhorn   For this lab, there
  iris-lab doctor my.yaml -o json                  For a program
  iris-lab doctor --longhorn --fix                 Show what mends, and run it
  iris-lab doctor --context a --longhorn --probe   Look at a cluster's nodes";

/// End of the help of `render`.
pub(super) const RENDER: &str = "\
Examples:
  iris-lab render                              The YAML of the default lab
  iris-lab render --replicas 3 > lab.yaml      With three pods, to a file
  iris-lab render --step services              What one step applies
  iris-lab render | kubectl apply -f -         Apply it yourself";

/// End of the help of `render longhorn`.
pub(super) const RENDER_LONGHORN: &str = "\
Examples:
  iris-lab render longhorn | kubectl apply -f -     Install it yourself
  iris-lab render longhorn --replicas 1             For a single node
  iris-lab render longhorn --version 1.2.4          An older release
  iris-lab render longhorn --uninstall > job.yaml   The job that removes it";

/// End of the help of `status`.
pub(super) const STATUS: &str = "\
Exits with 0 only if the whole lab is healthy.

Examples:
  iris-lab status             One screen
  iris-lab status --watch     The same, drawn again on every change
  iris-lab status -o json     For a program";

/// End of the help of `explain`.
pub(super) const EXPLAIN: &str = "\
It reads pods, claims, volumes, services, events and logs, and changes nothing.
Exits with 0 only if nothing is wrong.

Examples:
  iris-lab explain             What is wrong, where it shows, what mends it
  iris-lab explain -o json     For a program";

/// End of the help of `support`.
pub(super) const SUPPORT: &str = "\
Passwords, hashes, tokens, keys and what Secrets hold are removed. What cannot
be read is written down in it as missing. Look into it before you send it.

Examples:
  iris-lab support                  Of the only lab, into this folder
  iris-lab support case-17.tar.gz   Into this file
  iris-lab support --name demo      Of the lab named demo";

/// End of the help of `portal`.
pub(super) const PORTAL: &str = "\
It listens on this host only, on 9092, 9093, ... and on 8000 for Longhorn, or
on the next port that is free. It ends with Ctrl-C, and then with 0.

Examples:
  iris-lab portal                     The portal of each pod, until Ctrl-C
  iris-lab portal --open              The same, with the first in a browser
  iris-lab portal --address 0.0.0.0   For others in your network, unencrypted
  iris-lab portal -o json             A line for each page and each change";

/// End of the help of `session`.
pub(super) const SESSION: &str = "\
The exit code is that of the program. Without a terminal, it reads stdin to its
end.

Examples:
  iris-lab session                        A prompt in the first pod
  iris-lab session data-1                 In this pod
  iris-lab session data-1 -- iris qlist   Another program instead
  iris-lab session < commands.txt         Commands from a file";

/// End of the help of `shell`.
pub(super) const SHELL: &str = "\
It is bash where the image has it, else sh. The exit code is that of the shell.

Examples:
  iris-lab shell                            A shell in the first pod
  iris-lab shell data-1 -- df -h /vol-data  A program instead of the shell";

/// End of the help of `logs`.
pub(super) const LOGS: &str = "\
A pod's own log has all that IRIS writes to messages.log since the pod was
started; --messages reads the file itself, with what former pods wrote.

Examples:
  iris-lab logs                          All of it, sorted by time
  iris-lab logs -f --tail 20             The last lines, and what comes
  iris-lab logs data-1 --level error     What failed in this pod
  iris-lab logs --messages -o json       For a program";

/// End of the help of `timeline`.
pub(super) const TIMELINE: &str = "\
The last run that changed the lab is shown, also one that failed, was cancelled
or killed, or still runs. A reset that succeeds takes its own record along.

Examples:
  iris-lab timeline                     A chart in the terminal
  iris-lab timeline --html run.html     The same as a page for a browser
  iris-lab timeline -o json             For a program";

/// End of the help of `down`.
pub(super) const DOWN: &str = "\
Examples:
  iris-lab down                            Remove the pods, keep their data
  iris-lab down --delete-data              Remove the data too, after a question
  iris-lab down --delete-data --yes        The same without the question
  iris-lab down --delete-data --longhorn   Longhorn too, which holds it";

/// End of the help of `stop`.
pub(super) const STOP: &str = "\
IRIS ends first, so that its databases are in order and its volumes detached.

Examples:
  iris-lab stop                Stop microk8s; the data stays
  iris-lab stop --name demo    Only the lab named demo";

/// End of the help of `start`.
pub(super) const START: &str = "\
Examples:
  iris-lab start               Start it, and wait until the portal is back
  iris-lab start --name demo   Only the lab named demo";

/// End of the help of `users`.
pub(super) const USERS: &str = "\
The instances are asked. Where none answers, it is what the lab was made with.

Examples:
  iris-lab users                    Accounts, portal, where the password is
  iris-lab users --show-password    The same with the password
  iris-lab users -o json            For a program";

/// End of the help of `password`.
pub(super) const PASSWORD: &str = "\
Only the password's hash leaves this machine until every instance has it; then
each is asked whether it takes the password. No pod is restarted.

Examples:
  iris-lab password                            Ask for it, or make one
  iris-lab password --password-file secret     From a file's first line
  iris-lab password --user appuser             For one account alone";

/// End of the help of `resize`.
pub(super) const RESIZE: &str = "\
Volumes grow where their storage class allows it, and never become smaller. The
pods stop only where that needs it, as with Longhorn.

Examples:
  iris-lab resize 10Gi                 The volumes with the databases
  iris-lab resize 10Gi --volume all    The instances' own, too
  iris-lab resize 10Gi --dry-run       Print the plan, change nothing";

/// End of the help of `reset`.
pub(super) const RESET: &str = "\
It never calls `microk8s reset`: that destroys the volumes of everybody else on
the same microk8s too, may take hours, and does not end what is stuck.

Examples:
  iris-lab reset                Remove everything, after a question
  iris-lab reset --yes          The same without the question
  iris-lab reset --name demo    Only the lab named demo
  iris-lab reset --adopt        Longhorn too, whoever installed it
  iris-lab reset --purge        The snap too, if iris-lab installed it";

/// End of the help of `unstick`.
pub(super) const UNSTICK: &str = "\
It touches only what it knows, which is Longhorn, and what --strip names.

Examples:
  iris-lab unstick --dry-run              What holds longhorn-system
  iris-lab unstick --yes                  Free it
  iris-lab unstick --context rig          In a cluster without a lab
  iris-lab unstick demo --strip widgets.example.com";

/// End of the help of `labs`.
pub(super) const LABS: &str = "\
Examples:
  iris-lab labs                          List the built-in labs
  iris-lab labs show two-pod > my.yaml   Start a lab file of your own
  iris-lab labs check my.yaml            Report every error in it";

/// End of the help of `image`.
pub(super) const IMAGE: &str = "\
The tag of an image ends with what it is built from: what has not changed is
neither built nor pushed again.

Examples:
  iris-lab image build my-app     Build the image of a folder
  iris-lab image push my-app      Push it to localhost:32000
  iris-lab image list             What there is, and where
  iris-lab up --build=my-app      All of it at once, and pods that run it";

/// End of the help of `image build`.
pub(super) const IMAGE_BUILD: &str = "\
Examples:
  iris-lab image build                           The folder here
  iris-lab image build my-app --tag my-app:2     With a name and a tag
  iris-lab image build simple --build-arg BASE=my/iris:1
  iris-lab image build my-app --secret id=npm,src=.npmrc";

/// End of the help of `image push`.
pub(super) const IMAGE_PUSH: &str = "\
Examples:
  iris-lab image push my-app                    To localhost:32000
  iris-lab image push my-app --registry localhost:5000";

/// End of the help of `image list`.
pub(super) const IMAGE_LIST: &str = "\
Examples:
  iris-lab image list             Docker's, and those at localhost:32000
  iris-lab image list -o json     The same as one document";

/// End of the help of `bundle`.
pub(super) const BUNDLE: &str = "\
Examples:
  iris-lab bundle save lab.bundle --provider kind   Where there is a network
  iris-lab bundle load lab.bundle                   Where there is none
  iris-lab bundle list lab.bundle                   What is in it";

/// End of the help of `bundle save`.
pub(super) const BUNDLE_SAVE: &str = "\
The lab is given as `up` gets it. What is missing here is pulled by Docker, or
by microk8s where there is no Docker, and stays there.

Examples:
  iris-lab bundle save lab.bundle --provider kind
  iris-lab bundle save lab.bundle my.yaml --provider microk8s --longhorn
  iris-lab bundle save arm.bundle --provider kind --arch arm64
  iris-lab bundle save lab.bundle --provider kind --mirror registry.local:5000";

/// End of the help of `bundle load`.
pub(super) const BUNDLE_LOAD: &str = "\
What is in the bundle goes into the cache, where `up` finds it, and its images
into Docker and a microk8s that runs. A load that was broken off goes on.

Examples:
  iris-lab bundle load lab.bundle            Then `iris-lab up` pulls nothing
  iris-lab bundle load lab.bundle -o json    For a program";

/// End of the help of `bundle list`.
pub(super) const BUNDLE_LIST: &str = "\
Examples:
  iris-lab bundle list lab.bundle            Names, sizes, sums
  iris-lab bundle list lab.bundle -o json    For a program";

/// End of the help of `kubeconfig`.
pub(super) const KUBECONFIG: &str = "\
Examples:
  iris-lab kubeconfig                            The path of the file
  export KUBECONFIG=\"$(iris-lab kubeconfig)\"    Use it in this shell
  iris-lab kubeconfig --print > lab.kubeconfig   A copy of its content";

/// End of the help of `completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(iris-lab completions bash)      For this shell
  iris-lab completions zsh > _iris-lab     A file for a directory of $fpath";
