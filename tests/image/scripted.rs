//! A docker out of a shell script, and a registry to which it pushes: both remember, write down what they were asked, and fail where a
//! test wants it.

use crate::support::Lab;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The script. It keeps an image as a file with its id.
const DOCKER: &str = r#"
file() { echo "STATE/$1/$(echo "${2#*/}" | tr / _)"; }
PATH=/usr/bin:/bin
echo "$*" >> STATE/log
if [ -e "STATE/fault-$1" ]; then cat "STATE/fault-$1" >&2; exit 1; fi
case $1 in
version) echo 20.10.24 ;;
buildx) [ -e STATE/buildx ] || exit 1 ;;
inspect)
  for name; do :; done
  cat "$(file images "$name")" 2>/dev/null || { echo "Error: No such object: $name" >&2; exit 1; } ;;
image)
  case $2 in
  inspect)
    for name; do :; done
    cat "$(file images "$name")" 2>/dev/null || { echo "Error: No such image: $name" >&2; exit 1; } ;;
  rm) rm -f "$(file images "$3")" ;;
  esac ;;
build)
  echo "Step 1/1 : FROM x"
  echo "WARNING: it is a stand-in"
  echo "sha256:$(echo "$3" | sha256sum | cut -c1-64)" > "$(file images "$3")" ;;
push)
  echo "0123456789ab: Preparing"
  echo "0123456789ab: Pushed"
  cp "$(file images "$2")" "$(file registry "$2")" ;;
esac
"#;

/// The docker and the registry.
pub struct Scripted {
    state: PathBuf,
    work: PathBuf,
    /// The registry's name in images.
    pub host: String,
}

impl Scripted {
    /// A lab on whose PATH is such a docker.
    pub fn new() -> (Lab, Scripted) {
        let mut lab = Lab::on_sim();
        // `reset --purge` looks at this host with its own tools.
        lab.path = Some(format!("{}:/usr/bin:/bin", lab.scratch.dir("bin").display()));
        let docker = Scripted::for_lab(&lab);
        (lab, docker)
    }

    /// Such a docker on the PATH of a lab.
    pub fn for_lab(lab: &Lab) -> Scripted {
        let state = lab.scratch.dir("docker");
        ["images", "registry"].iter().for_each(|name| std::fs::create_dir_all(state.join(name)).unwrap());
        lab.stand_in("docker", &DOCKER.replace("STATE", &state.display().to_string()));
        let host = serve(state.join("registry"));
        Scripted { state, work: lab.scratch.dir("work"), host }
    }

    /// Files of a build context, beside what is there.
    pub fn context(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.work.join(name);
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    /// From now on, this command fails with these words.
    pub fn fail(&self, command: &str, words: &str) {
        std::fs::write(self.state.join(format!("fault-{command}")), format!("{words}\n")).unwrap();
    }

    /// All works again.
    pub fn mend(&self, command: &str) {
        std::fs::remove_file(self.state.join(format!("fault-{command}"))).unwrap();
    }

    pub fn has_build_kit(&self) {
        std::fs::write(self.state.join("buildx"), "").unwrap();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.state.join("log")).unwrap_or_default()
    }

    pub fn forget_log(&self) {
        let _ = std::fs::remove_file(self.state.join("log"));
    }

    /// Files of the images that it has.
    pub fn images(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.state.join("images")).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn forget_images(&self) {
        self.images().iter().for_each(|name| std::fs::remove_file(self.state.join("images").join(name)).unwrap());
    }
}

/// A registry that has what is in a folder, each image as a file with its id. It goes on until the tests are over.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut header) = (String::new(), String::new());
            let _ = reader.read_line(&mut line);
            while reader.read_line(&mut header).is_ok_and(|count| count > 2) {
                header.clear();
            }
            let (status, body) = answer(&folder, line.split(' ').nth(1).unwrap_or_default());
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    host
}

fn answer(folder: &Path, path: &str) -> (u16, String) {
    let names =
        || std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let list = |key: &str, all: Vec<String>| (200, serde_json::json!({ key: all }).to_string());
    if path == "/v2/" {
        return (200, "{}".into());
    }
    if path.starts_with("/v2/_catalog") {
        let mut all: Vec<String> = names().filter_map(|name| Some(name.split_once(':')?.0.to_string())).collect();
        all.sort();
        all.dedup();
        return list("repositories", all);
    }
    if let Some(name) = path.strip_prefix("/v2/").and_then(|rest| rest.strip_suffix("/tags/list")) {
        return list(
            "tags",
            names().filter_map(|file| Some(file.strip_prefix(name)?.strip_prefix(':')?.to_string())).collect(),
        );
    }
    let file = path.trim_start_matches("/v2/").replace("/manifests/", ":");
    match std::fs::read_to_string(folder.join(file)) {
        Ok(id) => (200, serde_json::json!({ "config": { "digest": id.trim() } }).to_string()),
        Err(_) => (404, String::new()),
    }
}
