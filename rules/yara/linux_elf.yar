rule Linux_ELF_UPX_Packed {
  meta:
    description = "ELF program packed with UPX: rare for software that people install, common for malware"
    importance = "medium"
  strings:
    $magic = "UPX!"
    $info = "$Info: This file is packed with the UPX executable packer"
  condition:
    uint32(0) == 0x464C457F and ($info or #magic >= 3)
}

rule Linux_ELF_Preload_Rootkit {
  meta:
    description = "shared object that hooks directory listings and hides itself through ld.so.preload"
    importance = "critical"
  strings:
    $preload = "/etc/ld.so.preload"
    $next = "dlsym"
    $hook_readdir = "readdir64"
    $hook_readdir_plain = "readdir"
    $hook_access = "access"
    $hook_stat = /__[lf]?xstat(64)?/
    $hides_tcp = "/proc/net/tcp"
    $hides_fd = "/proc/self/fd/%d"
  condition:
    // ELF of type ET_DYN
    uint32(0) == 0x464C457F and uint16(16) == 3 and $preload and $next and
    any of ($hook_readdir, $hook_readdir_plain) and 2 of ($hook_access, $hook_stat, $hides_tcp, $hides_fd)
}

rule Linux_Coin_Miner {
  meta:
    description = "configuration or program of a coin miner"
    importance = "high"
  strings:
    $pool = /stratum\+(tcp|ssl):\/\/[a-zA-Z0-9.-]{4,100}:[0-9]{2,5}/
    $donate = "donate-level"
    $algorithm = /"algo"\s*:\s*"(rx|cn|argon2|randomx|cryptonight)/
    $random_x = "randomx"
    $xmrig = "xmrig" nocase
    $nicehash = "nicehash"
  condition:
    ($pool and any of ($donate, $algorithm, $random_x, $xmrig, $nicehash)) or ($donate and $algorithm)
}
