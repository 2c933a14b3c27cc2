"""Travel on a road network in memory: `RoadGraph`, from an extract of OpenStreetMap, a graph of networkx, or arrays.

tags, speeds   what tags of ways and nodes mean, and the default speeds with their sources
osm            the reader of extracts
arrays         edges of the user's, checked
graphs         graphs of networkx and OSMnx
network        the network in arrays
compress       from pieces of road to edges between junctions
snapping       places on the road
search         the kernel
paths          searches, and lines along edges
graph          `RoadGraph`
"""

from territory.travel.roads.graph import RoadGraph

__all__ = ["RoadGraph"]
