"""Geometry on the sphere: distances, a local plane, adjacency of points, and territories as polygons.

Longitude comes before latitude, both in degrees (WGS 84); lengths are metres. The submodules are imported
one by one, so that whoever needs a distance does not pay for polygons::

    sphere       great circles, unit vectors, mean position      numpy
    projection   the local plane and back                        numpy
    adjacency    which points are neighbours, and fragments      scipy
    contiguity   the graph on which territories hang together    scipy
    contraction  graphs in compressed rows, made smaller         numpy
    barriers     what cuts neighbours by place                   shapely
    borders      units that share a border                       shapely
    polygons     territories as polygons for maps                scipy, shapely
    rings        cutting at the antimeridian, orientation        shapely
    colouring    neighbouring territories in different colours   numpy
"""
