// redoubt-agent: sensor, spool and link of one host.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/config.h"
#include "base/log.h"
#include "base/processor.h"
#include "base/time.h"
#include "commands.h"
#include "sensor/probe.h"

namespace {

using redoubt::Status;
namespace agent = redoubt::agent;
namespace base = redoubt::base;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

constexpr const char* kExamples = R"(
Examples:
  redoubt-agent enroll --server node.example:8443 --fingerprint 3f9a… --token-file token --data /var/lib/redoubt-agent
  redoubt-agent run --data /var/lib/redoubt-agent
  redoubt-agent status --data /var/lib/redoubt-agent --json
  redoubt-agent probe

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.)";

constexpr const char* kProxyHelp = "file with http://[USER:PASSWORD@]HOST:PORT of the HTTP proxy before the node";

struct Arguments {
  agent::EnrollOptions enroll;
  agent::RunOptions run;
  std::string data_directory = "/var/lib/redoubt-agent";
  std::string spool_size = "512MiB";
  std::string spool_age = "7d";
  std::string log_level = "info";
  bool force = false;
  bool fork_events = false;
  bool json = false;
};

void add_enroll(CLI::App& app, Arguments& arguments) {
  CLI::App* const verb = app.add_subcommand("enroll", "get this host an identity from its central node");
  verb->add_option("--server", arguments.enroll.server, "HOST:PORT of the node's console")->required();
  verb->add_option("--fingerprint", arguments.enroll.fingerprint, "SHA-256 of the node's certificate")->required();
  verb->add_option("--token-file", arguments.enroll.token_file, "file with the enrolment token")->required();
  verb->add_option("--data", arguments.data_directory, "the agent's data directory")->capture_default_str();
  verb->add_option("--proxy-file", arguments.enroll.proxy_file, kProxyHelp);
  verb->add_flag("--force", arguments.force, "replace an identity; what was spooled under it is forgotten");
}

void add_run(CLI::App& app, Arguments& arguments) {
  CLI::App* const verb = app.add_subcommand("run", "watch this host until SIGTERM");
  verb->add_option("--data", arguments.data_directory, "the agent's data directory")->capture_default_str();
  verb->add_option("--spool-size", arguments.spool_size, "disk space for what the node has not taken")
      ->capture_default_str();
  verb->add_option("--spool-age", arguments.spool_age, "how long it is kept")->capture_default_str();
  verb->add_option("--proxy-file", arguments.run.proxy_file, kProxyHelp);
  verb->add_option("--quiet-pid", arguments.run.quiet_pids, "a process whose file and network activity is no event");
  verb->add_option("--cpu-budget", arguments.run.cpu_budget_percent,
                   "per cent of one core; over it the agent tells less, and says so (0: no limit)")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  verb->add_option(
          "--environment", arguments.run.environment_names,
          "variables whose values a program's start tells: NAME,NAME…; usual: loaders', shells', proxies'; none")
      ->delimiter(',')
      ->capture_default_str();
  verb->add_flag("--fork-events", arguments.fork_events, "tell processes that are made without a program of their own");
  verb->add_option("--log-level", arguments.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
}

void add_status(CLI::App& app, Arguments& arguments) {
  CLI::App* const verb = app.add_subcommand("status", "what the running agent does");
  verb->add_option("--data", arguments.data_directory, "the agent's data directory")->capture_default_str();
  verb->add_flag("--json", arguments.json, "as one JSON object");
}

void set_log_level(const std::string& name) {
  if (name == "debug") base::set_log_level(base::LogLevel::debug);
  if (name == "warning") base::set_log_level(base::LogLevel::warning);
  if (name == "error") base::set_log_level(base::LogLevel::error);
}

Status run(Arguments& arguments) {
  arguments.run.data_directory = arguments.data_directory;
  TRY(arguments.run.spool_bytes_max, base::parse_size_bytes(arguments.spool_size));
  TRY(arguments.run.spool_age_us_max, base::parse_duration_us(arguments.spool_age));
  if (arguments.fork_events) arguments.run.fork_events = agent::RunOptions::ForkEvents::all;
  set_log_level(arguments.log_level);
  return agent::run(arguments.run);
}

Status enroll(Arguments& arguments) {
  arguments.enroll.data_directory = arguments.data_directory;
  if (arguments.force) arguments.enroll.if_enrolled = agent::EnrollOptions::IfEnrolled::replace;
  return agent::enroll(arguments.enroll);
}

Status print_probe() {
  std::puts(redoubt::sensor::probe_report().c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  redoubt::base::require_processor();
  Arguments arguments;
  CLI::App app("The Redoubt agent: watches this host and sends what it sees to a central node.", "redoubt-agent");
  app.set_version_flag("--version", REDOUBT_VERSION);
  app.footer(kExamples);
  app.require_subcommand(1);
  add_enroll(app, arguments);
  add_run(app, arguments);
  add_status(app, arguments);
  app.add_subcommand("probe", "what this host's kernel lets the sensor do");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  Status done;
  if (app.got_subcommand("enroll")) done = enroll(arguments);
  if (app.got_subcommand("run")) done = run(arguments);
  if (app.got_subcommand("status")) {
    done = agent::print_status(arguments.data_directory, arguments.json ? agent::Output::json : agent::Output::text);
  }
  if (app.got_subcommand("probe")) done = print_probe();
  if (done) return 0;
  std::fprintf(stderr, "redoubt-agent: %s\n", done.error().message.c_str());
  return kExitFailed;
}
