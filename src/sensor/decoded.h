// How reading a record ended.
#pragma once

namespace redoubt::sensor {

enum class Decoded { yes, malformed };

}  // namespace redoubt::sensor
