#include "sensor/sensor.h"

namespace redoubt::sensor {

std::vector<std::string> default_environment_names() {
  return {// the loader of shared libraries
          "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG", "GLIBC_TUNABLES",
          // what shells and interpreters run first, or load from
          "BASH_ENV", "ENV", "PROMPT_COMMAND", "PYTHONSTARTUP", "PYTHONPATH", "PERL5OPT", "PERL5LIB", "PERL5DB",
          "RUBYOPT", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",
          // through what it talks
          "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
          // whether it leaves a history, and who came from where
          "HISTFILE", "HISTSIZE", "HISTCONTROL", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "SUDO_USER", "SUDO_COMMAND"};
}

}  // namespace redoubt::sensor
