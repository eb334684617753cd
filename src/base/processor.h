// Which processors the programs run on.
#pragma once

namespace redoubt::base {

// Ends the program, and says why, where the processor lacks what the programs are built for: first thing in main().
void require_processor();

}  // namespace redoubt::base
