// redoubt-gateway: clients of the scanner API. folder carries files from an input to an output or a quarantine folder.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/log.h"
#include "base/processor.h"
#include "commands.h"

namespace {

using redoubt::Status;
namespace base = redoubt::base;
namespace gateway = redoubt::gateway;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

constexpr const char* kExamples = R"(
Examples:
  redoubt-gateway certificate --out /etc/redoubt/gateway
  redoubt-gateway folder --check --config /etc/redoubt/folder-gateway.json
  redoubt-gateway folder --config /etc/redoubt/folder-gateway.json

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.)";

struct Arguments {
  std::string config = "/etc/redoubt/folder-gateway.json";
  std::string out;
  std::string name = "redoubt-gateway";
  std::string log_level = "info";
  bool check = false;
};

void add_folder(CLI::App& app, Arguments& arguments) {
  CLI::App* const verb = app.add_subcommand("folder", "input folders to output and quarantine, until SIGTERM");
  verb->add_option("--config", arguments.config, "the configuration, JSON")->capture_default_str();
  verb->add_flag("--check", arguments.check, "say what is wrong with it and whether the node answers, and end");
  verb->add_option("--log-level", arguments.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
}

void add_certificate(CLI::App& app, Arguments& arguments) {
  CLI::App* const verb = app.add_subcommand("certificate", "make key, certificate and id of an external system");
  verb->add_option("--out", arguments.out, "folder for key.pem, cert.pem and system_id")->required();
  verb->add_option("--name", arguments.name, "common name in the certificate")->capture_default_str();
}

void set_log_level(const std::string& name) {
  if (name == "debug") base::set_log_level(base::LogLevel::debug);
  if (name == "warning") base::set_log_level(base::LogLevel::warning);
  if (name == "error") base::set_log_level(base::LogLevel::error);
}

}  // namespace

int main(int argc, char** argv) {
  base::require_processor();
  Arguments arguments;
  CLI::App app("Gateways of Redoubt: what enters is scanned by the central node first.", "redoubt-gateway");
  app.set_version_flag("--version", REDOUBT_VERSION);
  app.footer(kExamples);
  app.require_subcommand(1);
  add_folder(app, arguments);
  add_certificate(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  set_log_level(arguments.log_level);
  Status done;
  if (app.got_subcommand("certificate")) done = gateway::make_certificate(arguments.out, arguments.name);
  if (app.got_subcommand("folder")) {
    done = arguments.check ? gateway::check_folder(arguments.config) : gateway::run_folder(arguments.config);
  }
  if (done) return 0;
  std::fprintf(stderr, "redoubt-gateway: %s\n", done.error().message.c_str());
  return kExitFailed;
}
