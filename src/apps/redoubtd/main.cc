// redoubtd: the central node. init makes its data directory, serve runs it, user changes accounts.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/redoubtd/settings.h"
#include "base/log.h"
#include "base/processor.h"
#include "central/node.h"

namespace redoubt::app {

namespace {

struct Options {
  std::string config_path;
  std::map<std::string, std::string> overrides;  // by setting
  std::string account;
};

int report(const Error& error) {
  std::cerr << "redoubtd: " << error.message << "\n";
  return 1;
}

Result<base::Config> load_config(const Options& options) {
  TRY(base::Config config, base::Config::load(options.config_path, node_settings()));
  for (const auto& [name, value] : options.overrides) {
    if (!value.empty()) config.set(name, value);
  }
  return config;
}

Status apply_log_level(const base::Config& config) {
  const std::map<std::string, base::LogLevel> levels = {{"debug", base::LogLevel::debug},
                                                        {"info", base::LogLevel::info},
                                                        {"warning", base::LogLevel::warning},
                                                        {"error", base::LogLevel::error}};
  const auto found = levels.find(config.text("log.level"));
  if (found == levels.end()) return fail(Errc::invalid_argument, "log.level: debug, info, warning or error");
  base::set_log_level(found->second);
  return {};
}

Status run_init(const Options& options) {
  TRY(const base::Config config, load_config(options));
  TRY(const central::InitReport made,
      central::init_node(config.text("data"), certificate_names(config), postgres_options(config)));
  nlohmann::ordered_json json = {{"account", made.account}};
  if (made.password.empty()) {
    json["exists"] = true;
  } else {
    json["password"] = made.password;
  }
  json["fingerprint"] = made.fingerprint;
  std::cout << json.dump() << std::endl;
  return {};
}

// Each agent's stream takes a descriptor, and programs begin with leave for a thousand.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Blocked in every thread before any starts, so that the one below receives them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

Status run_serve(const Options& options) {
  TRY(const base::Config config, load_config(options));
  TRY_STATUS(apply_log_level(config));
  raise_descriptor_limit();
  const sigset_t signals = block_stop_signals();
  TRY(const central::NodeOptions node_settings, node_options(config));
  TRY(const auto node, central::Node::start(node_settings));
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  base::log_info("node", "stopping");
  node->stop();
  return {};
}

Status run_password(const Options& options) {
  TRY(const base::Config config, load_config(options));
  std::string password;
  if (!std::getline(std::cin, password)) return fail(Errc::invalid_argument, "no password on standard input");
  TRY_STATUS(central::set_account_password(config.text("data"), options.account, password, postgres_options(config)));
  std::cout << "password of " << options.account << " is changed" << std::endl;
  return {};
}

void add_common(CLI::App& command, Options& options) {
  command.add_option("--config", options.config_path, "configuration file (YAML)");
  command.add_option("--data", options.overrides["data"], "data directory");
}

void add_serve(CLI::App& command, Options& options) {
  command.add_option("--api", options.overrides["api.address"], "where console and API listen");
  command.add_option("--scanner", options.overrides["scanner.address"], "where external systems submit objects");
  command.add_option("--link", options.overrides["link.address"], "where agents connect");
  command.add_option("--web", options.overrides["web.directory"], "the built console");
  command.add_option("--rules", options.overrides["rules.directory"], "detection rules");
  command.add_option("--yara", options.overrides["yara.directory"], "YARA rules");
  command.add_option("--scan-program", options.overrides["scan.program"], "the jailed worker");
  command.add_option("--log", options.overrides["log.level"], "debug, info, warning or error");
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app(
      "The central node of Redoubt.\n\n"
      "  redoubtd init --data /var/lib/redoubt/node\n"
      "  redoubtd serve --data /var/lib/redoubt/node\n"
      "  redoubtd user password admin --data /var/lib/redoubt/node < password-file\n");
  app.require_subcommand(1);
  app.set_version_flag("--version", REDOUBT_VERSION);
  Options options;
  Status status;
  CLI::App* init = app.add_subcommand("init", "make CA, keys, database and the first account; prints one JSON line");
  add_common(*init, options);
  init->add_option("--names", options.overrides["names"], "extra names in the server certificate, comma-separated");
  init->callback([&] { status = run_init(options); });
  CLI::App* serve = app.add_subcommand("serve", "run the node until SIGTERM");
  add_common(*serve, options);
  add_serve(*serve, options);
  serve->callback([&] { status = run_serve(options); });
  CLI::App* user = app.add_subcommand("user", "accounts")->require_subcommand(1);
  CLI::App* password = user->add_subcommand("password", "set a password, read from standard input");
  add_common(*password, options);
  password->add_option("name", options.account, "account")->required();
  password->callback([&] { status = run_password(options); });
  CLI11_PARSE(app, argc, argv);
  return status ? 0 : report(status.error());
}

}  // namespace redoubt::app

int main(int argc, char** argv) {
  redoubt::base::require_processor();
  return redoubt::app::run(argc, argv);
}
