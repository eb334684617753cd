#include "store/events/embedded/parquet_footer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "store/events/embedded/parquet_format.h"
#include "store/events/embedded/thrift_reader.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kTailBytes = 8;  // the size of the footer, and the magic
constexpr uint64_t kFooterBytesMax = uint64_t{64} << 20;
constexpr int64_t kGroupRowsMax = 1 << 24;
constexpr int64_t kChunkBytesMax = int64_t{1} << 30;

struct ColumnAbout {
  int64_t type = 0;
  int64_t codec = 0;
  int64_t values = 0;
  int64_t bytes = 0;
  int64_t data_offset = 0;
  int64_t dictionary_offset = 0;  // 0: no dictionary
  std::string_view name;
};

class FooterReader {
 public:
  FooterReader(std::string_view bytes, ParquetFooter& footer) : reader_(bytes), footer_(footer) {
    footer_.column_of.fill(kNoColumn);
    for (const event::FieldInfo& info : event::kFields) fields_[info.column] = &info;
  }

  Status read() {
    for (ThriftReader::FieldHead head; reader_.next_field(head);) {
      if (head.id == 4) {
        each_element([&] { read_group(); });
      } else {
        reader_.skip(head.type);
      }
    }
    if (!reader_.sound()) return fail(Errc::corrupt, "footer makes no sense");
    return known_ ? Status{} : fail(Errc::unsupported, "columns are not as they are written here");
  }

 private:
  template <class Each>
  void each_element(Each&& each) {
    uint8_t type = 0;
    for (uint64_t left = reader_.list_head(type); left > 0 && reader_.sound(); --left) each();
  }

  void read_group() {
    ParquetGroup group;
    if (!footer_.groups.empty()) group.first_row = footer_.groups.back().first_row + footer_.groups.back().rows;
    for (ThriftReader::FieldHead head; reader_.next_field(head);) {
      if (head.id == 1) {
        each_element([&] { read_column(group); });
      } else if (head.id == 3) {
        const int64_t rows = reader_.integer();
        known_ = known_ && rows > 0 && rows <= kGroupRowsMax;
        group.rows = static_cast<uint32_t>(rows);
      } else {
        reader_.skip(head.type);
      }
    }
    footer_.groups.push_back(std::move(group));
  }

  void read_column(ParquetGroup& group) {
    ColumnAbout about;
    for (ThriftReader::FieldHead head; reader_.next_field(head);) {
      if (head.id == 3) {
        read_about(about);
      } else {
        reader_.skip(head.type);
      }
    }
    add(group, about);
  }

  void read_about(ColumnAbout& about) {
    for (ThriftReader::FieldHead head; reader_.next_field(head);) {
      switch (head.id) {
        case 1: about.type = reader_.integer(); break;
        case 3: each_element([&] { about.name = reader_.text(); }); break;
        case 4: about.codec = reader_.integer(); break;
        case 5: about.values = reader_.integer(); break;
        case 7: about.bytes = reader_.integer(); break;
        case 9: about.data_offset = reader_.integer(); break;
        case 11: about.dictionary_offset = reader_.integer(); break;
        default: reader_.skip(head.type);
      }
    }
  }

  // All groups have the same columns; those that are no field's are passed over.
  void add(ParquetGroup& group, const ColumnAbout& about) {
    const auto found = fields_.find(about.name);
    if (found == fields_.end()) return;
    const event::FieldInfo* info = found->second;
    uint16_t& position = footer_.column_of[static_cast<size_t>(info->field)];
    if (footer_.groups.empty()) position = static_cast<uint16_t>(group.columns.size());
    const int64_t offset =
        about.dictionary_offset > 0 ? std::min(about.dictionary_offset, about.data_offset) : about.data_offset;
    const int64_t type = event::is_textual(info->type) ? parquet::kByteArray : parquet::kInt64;
    known_ = known_ && position == group.columns.size() && about.type == type && about.codec == parquet::kZstd &&
             offset > 0 && about.bytes > 0 && about.bytes <= kChunkBytesMax && about.values <= kGroupRowsMax;
    group.columns.push_back({.offset = static_cast<uint64_t>(offset),
                             .bytes = static_cast<uint32_t>(about.bytes),
                             .values = static_cast<uint32_t>(about.values)});
  }

  ThriftReader reader_;
  ParquetFooter& footer_;
  std::unordered_map<std::string_view, const event::FieldInfo*> fields_;  // by their columns
  bool known_ = true;
};

}  // namespace

size_t ParquetFooter::group_of(uint64_t row) const {
  const auto behind = std::upper_bound(groups.begin(), groups.end(), row,
                                       [](uint64_t wanted, const auto& group) { return wanted < group.first_row; });
  if (behind == groups.begin()) return groups.size();
  const auto group = behind - 1;
  return row - group->first_row < group->rows ? static_cast<size_t>(group - groups.begin()) : groups.size();
}

Status read_at(const base::UniqueFd& file, uint64_t offset, std::span<char> into) {
  for (size_t done = 0; done < into.size();) {
    const ssize_t got = pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0) return base::fail_errno("read");
    if (got == 0) return fail(Errc::corrupt, "file is cut off");
    done += static_cast<size_t>(got);
  }
  return {};
}

Result<ParquetFooter> read_footer(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file || fstat(file.get(), &info) != 0) return base::fail_errno("open " + path);
  ParquetFooter footer{.file_bytes = static_cast<uint64_t>(info.st_size), .column_of = {}, .groups = {}};
  if (footer.file_bytes < kTailBytes) return fail(Errc::corrupt, path + " is too short");
  std::string tail(kTailBytes, '\0');
  TRY_STATUS(read_at(file, footer.file_bytes - kTailBytes, tail));
  uint32_t size = 0;
  std::memcpy(&size, tail.data(), sizeof size);
  const bool sound = tail.substr(sizeof size) == parquet::kMagic && size <= footer.file_bytes - kTailBytes;
  if (!sound || size > kFooterBytesMax) return fail(Errc::corrupt, path + " has no footer");
  std::string bytes(size, '\0');
  TRY_STATUS(read_at(file, footer.file_bytes - kTailBytes - size, bytes));
  TRY_STATUS(base::within(path, FooterReader(bytes, footer).read()));
  return footer;
}

}  // namespace redoubt::store::embedded
