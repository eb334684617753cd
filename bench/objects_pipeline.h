// CPU an object through the door beside what people use. objects.pipeline: with ClamAV and YARA, beside clamd by
// descriptor and the yara command, a file each. objects.pipeline_clamav: with ClamAV alone, beside c-icap's virus_scan.
// Skips what is not installed.
#pragma once

namespace redoubt::bench {

void measure_pipeline();
void measure_pipeline_clamav();

}  // namespace redoubt::bench
