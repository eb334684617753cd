#include "environment_choice.h"

#include <utility>

#include "sensor/sensor.h"

namespace redoubt::agent {

std::vector<std::string> environment_names(const std::vector<std::string>& chosen) {
  std::vector<std::string> names;
  for (const std::string& name : chosen) {
    if (name == kUsualNames) {
      for (std::string& usual : sensor::default_environment_names()) names.push_back(std::move(usual));
    } else if (name != kNoNames) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace redoubt::agent
