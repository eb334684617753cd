// Which variables of the environment a program's start tells, as the command line chooses them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace redoubt::agent {

constexpr std::string_view kUsualNames = "usual";  // those that the sensor tells as it comes
constexpr std::string_view kNoNames = "none";

// Names of variables, with the usual ones in the place of kUsualNames and nothing in that of kNoNames.
std::vector<std::string> environment_names(const std::vector<std::string>& chosen);

}  // namespace redoubt::agent
