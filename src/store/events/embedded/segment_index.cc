#include "store/events/embedded/segment_index.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>
#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "store/events/embedded/index_format.h"

namespace redoubt::store::embedded {

namespace {

// Of the other texts those that people look for by their whole.
constexpr auto kIndexedTexts = std::to_array<event::Field>(
    {event::Field::host_name, event::Field::user_name, event::Field::process_executable, event::Field::process_name,
     event::Field::file_path, event::Field::file_name, event::Field::dns_question_name, event::Field::source_domain,
     event::Field::destination_domain, event::Field::registry_path, event::Field::container_name});

}  // namespace

bool is_indexed(event::Field field) {
  const event::FieldType type = event::info(field).type;
  return type == event::FieldType::id || type == event::FieldType::hash || type == event::FieldType::ip ||
         std::find(kIndexedTexts.begin(), kIndexedTexts.end(), field) != kIndexedTexts.end();
}

uint64_t index_key(event::Field field, std::string_view value) {
  const auto seed = static_cast<uint64_t>(event::info(field).number);
  if (event::info(field).type != event::FieldType::text) return XXH3_64bits_withSeed(value.data(), value.size(), seed);
  thread_local std::string folded;
  base::fold_case_into(value, folded);
  return XXH3_64bits_withSeed(folded.data(), folded.size(), seed);
}

Result<std::shared_ptr<const SegmentIndex>> SegmentIndex::open(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd || fstat(fd.get(), &info) != 0) return base::fail_errno("open " + path);
  const auto size = static_cast<size_t>(info.st_size);
  if (size < sizeof(IndexHead)) return fail(Errc::corrupt, path + " is too short");
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return base::fail_errno("map " + path);
  std::shared_ptr<SegmentIndex> index(new SegmentIndex(memory, size));
  TRY_STATUS(base::within(path, index->read()));
  return index;
}

SegmentIndex::~SegmentIndex() { munmap(memory_, size_); }

Status SegmentIndex::read() {
  const std::string_view bytes(static_cast<const char*>(memory_), size_);
  IndexHead head;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::string_view body = bytes.substr(sizeof head);
  if (head.magic != kIndexMagic || head.version == 0 || head.version > kIndexVersion)
    return fail(Errc::corrupt, "no index of this version");
  if (head.checksum != XXH3_64bits(body.data(), body.size())) return fail(Errc::corrupt, "checksum does not fit");
  group_rows_ = head.group_rows;
  IndexReader reader(body);
  for (uint32_t group = 0; group < head.groups; ++group) {
    TRY(const auto filter, reader.take<uint64_t>());
    filters_.push_back(filter);
  }
  TRY(minutes_, reader.take<MinuteCount>());
  TRY(trigrams_, reader.take<uint64_t>());
  const bool sound = group_rows_ > 0 && trigrams_.size() == kTrigramWords &&
                     std::none_of(filters_.begin(), filters_.end(), [](const auto& filter) { return filter.empty(); });
  return sound ? Status{} : fail(Errc::corrupt, "sizes do not fit");
}

bool SegmentIndex::may_have(size_t group, uint64_t key) const { return filter_has(filters_[group], key); }

bool SegmentIndex::lines_may_contain(std::string_view text) const {
  const std::string folded = base::fold_case(text);
  for (size_t at = 0; at + kTrigram <= folded.size(); ++at) {
    const uint32_t bit = trigram_bit(folded.data() + at);
    if ((trigrams_[bit / 64] >> (bit % 64) & 1) == 0) return false;
  }
  return true;
}

}  // namespace redoubt::store::embedded
