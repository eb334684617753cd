// objects.pipeline: CPU an object through the door with ClamAV and YARA, beside what people glue together: clamd by
// descriptor and the yara command, a file each. Skips what is not installed.
#pragma once

namespace redoubt::bench {

void measure_pipeline();

}  // namespace redoubt::bench
